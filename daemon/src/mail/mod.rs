//! Sends pages by mail, the last resort of every page.
//!
//! Chat is often down at the same time as the service that it should report, so a page must not
//! depend on a plugin. This module sends a page to one person by SMTP, with a signed link that
//! acknowledges it without a login. Errors distinguish refused, retryable and unknown outcomes,
//! because a duplicate page at night is a fault too.

mod letter;
mod mailer;

pub use letter::PageMail;
pub use mailer::{CannotLogIn, MailError, Mailer, Receipt, SEND_TIMEOUT, SetupError};

#[cfg(test)]
mod tests;
