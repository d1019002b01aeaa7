//! What every service trait of the capabilities shares.
//!
//! The host knows no store and no incident engine: the daemon provides them, one trait a
//! capability. Services are called on the host's own few threads, so they must not block them: what
//! waits for a disk belongs on a thread of its own. Every future is boxed, so that the traits stay
//! object-safe. A daemon that does not provide a function need not write it: what is not written
//! answers that it is unavailable.

use crate::wit::{CommandError, KvError, MailError};
use futures_util::future::{BoxFuture, FutureExt as _, ready};

/// The answer of a service.
pub type Reply<'a, T, E = ServiceError> = BoxFuture<'a, Result<T, E>>;

/// A service that is not there now, with the reason. The guest sees a typed `unavailable`.
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

/// The answer of a function that a daemon does not provide.
pub(super) fn not_provided<'a, T, E>() -> Reply<'a, T, E>
where
    T: Send + 'a,
    E: From<ServiceError> + Send + 'a,
{
    let error = ServiceError("this daemon does not provide it".to_owned());
    ready(Err(error.into())).boxed()
}
