//! The imports of plugin.wit, one module each. They read what the guest wants, check the right,
//! and hand over to `Services` or to the network.

mod clock;
mod commands;
mod config;
mod http;
mod jobs;
mod kv;
mod log;
mod mail;
mod people;

use crate::state::CallState;
use crate::wit::{Plugin, types};
use wasmtime::component::{HasSelf, Linker};

impl types::Host for CallState {}

/// Links every import. A right that is missing is a typed answer, not a missing import.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}
