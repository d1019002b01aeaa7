//! The host's own mail relay: the last resort of every page.
//!
//! When the chat is down it is often down together with what it should report, so a page must
//! not depend on any plugin. This module sends a page to one person by SMTP, with a finished link
//! that acknowledges it from a phone without a log-in. It tells apart what was refused, what may
//! be tried again, and what has an unknown outcome, because a duplicate page at night is a fault
//! too.

mod letter;
mod mailer;

pub use letter::PageMail;
pub use mailer::{CannotLogIn, MailError, Mailer, Receipt, SEND_TIMEOUT, SetupError};

#[cfg(test)]
mod tests;
