//! API tokens, and the signed links that acknowledge a page.
//!
//! A token is shown once and stored as a hash, so a stolen backup grants no access. Its prefix
//! makes it recognizable in a leaked log, and `Debug` never prints it. What a token may do is
//! decided by its stored row, not by its text.
//!
//! This module does no IO; the runtime stores the tokens.

pub mod ack_links;
mod carried;
mod index;
mod new_token;
mod row;
mod secret;

pub use ack_links::{AckClaim, AckKey, AckLinks, AckRefusal, AckTarget};
pub use carried::{Carried, UnreadableToken, carried};
pub use index::{TOKENS_MAX, TokenIndex};
pub use new_token::{NewToken, TokenRefusal};
pub use row::{Scope, TokenRow, UnknownScope};
pub use secret::{BadToken, RANDOM_BYTES, TOKEN_BYTES_MAX, Token, TokenHash, redact_token};

#[cfg(test)]
mod tests;
