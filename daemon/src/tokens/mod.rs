//! Tokens of the API and of integrations: their form, their hash, and where a request carries
//! them.
//!
//! A token is shown once and stored as a hash, so that a stolen backup opens no door. It says in
//! its own text what it is for, so that one that leaks into a log is recognised, and it is never
//! printed by `Debug`. What it may do stands in its row and not in its text: nobody gains a right
//! by editing a token.

mod carried;
mod row;
mod secret;

pub use carried::{Carried, UnreadableToken, carried};
pub use row::{Scope, TokenRow, UnknownScope};
pub use secret::{BadToken, RANDOM_BYTES, TOKEN_BYTES_MAX, Token, TokenHash, repeatable};

#[cfg(test)]
mod tests;
