//! E-mail through a relay that the operator configured; the plugin never sees its host, user or
//! password.

pub use crate::bindings::tocsin::plugin::mail::{Attachment, Email, MailError, Receipt};
use crate::host;

/// Sends one e-mail. Set `once`, so that a retried delivery does not send it twice.
///
/// # Errors
/// See [`MailError`]; it converts into a [`Failure`](crate::types::Failure).
pub fn send(email: &Email) -> Result<Receipt, MailError> {
    host::mail::send(email)
}
