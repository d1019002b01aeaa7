//! Who may call: API tokens, and the signed links that acknowledge a page.
//!
//! A token is shown once and stored as a hash, so a stolen backup grants no access. Its own text
//! says what it is for, so one that leaks into a log is recognized, and `Debug` never prints it.
//! What a token may do is in its row and not in its text: nobody gains a right by editing a token.
//!
//! Everything here is a value. The kept tokens and their writes are the runtime's.

pub mod ack_links;
mod carried;
mod index;
mod new_token;
mod row;
mod secret;

pub use ack_links::{AckClaim, AckKey, AckLinks, AckRefusal};
pub use carried::{Carried, UnreadableToken, carried};
pub use index::{TOKENS_MAX, TokenIndex};
pub use new_token::{NewToken, TokenRefusal};
pub use row::{Scope, TokenRow, UnknownScope};
pub use secret::{BadToken, RANDOM_BYTES, TOKEN_BYTES_MAX, Token, TokenHash, repeatable};

#[cfg(test)]
mod tests;
