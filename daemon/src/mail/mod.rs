//! Sends mail: pages, of which it is the last resort, and what plugins write.
//!
//! Chat is often down at the same time as the service that it should report, so a page must not
//! depend on a plugin. A page goes to one person by SMTP, with a signed link that acknowledges it
//! without a login. Errors distinguish refused, retryable and unknown outcomes,
//! because a duplicate page at night is a fault too.

mod letter;
mod mailer;
mod relays;

pub use letter::{Letter, PageMail, PluginMail};
pub use mailer::{CannotLogIn, MailError, Mailer, Receipt, SEND_TIMEOUT, SetupError};
pub use relays::{BadRelay, Relays};

#[cfg(test)]
mod tests;
