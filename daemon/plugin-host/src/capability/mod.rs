//! The imports of plugin.wit, one file each: the service that the daemon must provide, the limits,
//! and the implementation of the guest's calls.

pub mod clock;
pub mod commands;
mod config;
mod context;
pub mod effects;
mod http;
pub mod jobs;
pub mod kv;
mod log;
pub mod mail;
mod meter;
pub mod people;
mod rate;
mod service;

use crate::wit::{Plugin, types};
use wasmtime::component::{HasSelf, Linker};

pub use context::CallStats;
pub use http::HttpTrace;
pub use jobs::EnqueuedJob;
pub use log::LogLine;
pub use service::{Reply, ServiceError};

pub(crate) use context::{CallFacts, Context, Shared};
pub(crate) use log::LogBudget;
pub(crate) use rate::RateBucket;

#[cfg(test)]
pub(crate) use log::{LOG_LINES_MAX, LOG_LINES_PER_MIN};

/// Everything that the daemon provides.
pub trait Services:
    clock::ClockService
    + commands::CommandService
    + effects::EffectService
    + jobs::JobService
    + kv::KvService
    + mail::MailService
    + people::PeopleService
{
}

impl<T> Services for T where
    T: clock::ClockService
        + commands::CommandService
        + effects::EffectService
        + jobs::JobService
        + kv::KvService
        + mail::MailService
        + people::PeopleService
{
}

impl types::Host for Context {}

/// Links every import. A missing right is a typed error, not a missing import.
pub(crate) fn link<T: Send + 'static>(
    linker: &mut Linker<T>,
    context: fn(&mut T) -> &mut Context,
) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<_, HasSelf<Context>>(linker, context)
}
