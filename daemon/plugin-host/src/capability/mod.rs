//! The imports of plugin.wit, one module each. They read what the guest wants, check the right,
//! and hand over to [`services::Services`] or to the network.

mod clock;
mod commands;
mod config;
mod context;
pub mod http;
pub mod jobs;
pub mod kv;
mod log;
mod mail;
mod meter;
mod people;
mod rate;
pub mod services;

use crate::wit::{Plugin, types};
use wasmtime::component::{HasSelf, Linker};

pub use context::CallStats;
pub use http::HttpTrace;
pub use jobs::EnqueuedJob;
pub use log::LogLine;

pub(crate) use context::{CallFacts, Context, Shared};
pub(crate) use log::LogBudget;
pub(crate) use rate::RateBucket;

#[cfg(test)]
pub(crate) use log::{LOG_LINES_MAX, LOG_LINES_PER_MIN};

impl types::Host for Context {}

/// Links every import. A right that is missing is a typed answer, not a missing import.
pub(crate) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    context: fn(&mut T) -> &mut Context,
) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<_, HasSelf<Context>>(linker, context)
}
