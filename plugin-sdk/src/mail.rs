//! E-mail over a relay that the operator configured; host, user and password stay with the daemon.

pub use crate::bindings::tocsin::plugin::mail::{Attachment, Email, MailError, Receipt};
use crate::host;

/// Sends one e-mail. Set `once`, so that a retried delivery does not send it twice.
///
/// # Errors
/// See [`MailError`]; it converts into a [`Failure`](crate::types::Failure).
pub fn send(email: &Email) -> Result<Receipt, MailError> {
    host::mail::send(email)
}
