//! Types shared by the service traits of the capabilities.
//!
//! The host has no store and no incident engine: the daemon provides them, one trait per
//! capability. Services are called on the host's few threads and must not block them: disk access
//! belongs on another thread. Futures are boxed, so that the traits stay object-safe. The default
//! implementation of each function returns `unavailable`.

use crate::wit::{CommandError, KvError, MailError};
use futures_util::future::{BoxFuture, FutureExt as _, ready};

/// The future that a service function returns.
pub type Reply<'a, T, E = ServiceError> = BoxFuture<'a, Result<T, E>>;

/// A service that is currently unavailable, with the reason. The guest gets a typed `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ServiceError(pub String);

impl From<ServiceError> for KvError {
    fn from(error: ServiceError) -> Self {
        Self::Unavailable(error.0)
    }
}

impl From<ServiceError> for CommandError {
    fn from(error: ServiceError) -> Self {
        Self::Unavailable(error.0)
    }
}

impl From<ServiceError> for MailError {
    fn from(error: ServiceError) -> Self {
        Self::Temporary(error.0)
    }
}

/// The result of a function that a daemon does not provide.
pub(super) fn not_provided<'a, T, E>() -> Reply<'a, T, E>
where
    T: Send + 'a,
    E: From<ServiceError> + Send + 'a,
{
    let error = ServiceError("this daemon does not provide it".to_owned());
    ready(Err(error.into())).boxed()
}
