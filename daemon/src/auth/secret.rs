//! The token itself: `tocsin_<scope>_<43 characters of base64url>`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::row::Scope;

/// Random bytes in a token. 256 bits cannot be guessed, so a fast hash is enough to store it.
pub const RANDOM_BYTES: usize = 32;
/// Longest text that is read as a token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 128;

const PREFIX: &str = "tocsin_";

/// A token. Its text is shown once, by [`Token::reveal`]; `Debug` shows its scope only.
#[derive(Clone)]
pub struct Token {
    scope: Scope,
    text: SecretString,
}

/// A text that is not a token. Does not repeat the text, which may be a mistyped token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a tocsin token; it starts with tocsin_ and comes from `tocsin token create`")]
pub struct BadToken;

/// A text as it may be repeated in an answer, which others may read: a token in the place of a name
/// or an id is not repeated.
#[must_use]
pub fn repeatable(text: &str) -> &str {
    if text.trim_start().starts_with(PREFIX) {
        "tocsin_…"
    } else {
        text
    }
}

impl Token {
    /// A token made of `random`, which must come from the system's generator.
    #[must_use]
    pub fn new(scope: Scope, random: [u8; RANDOM_BYTES]) -> Self {
        let text = format!("{PREFIX}{scope}_{}", URL_SAFE_NO_PAD.encode(random));
        Self {
            scope,
            text: SecretString::from(text),
        }
    }

    /// Reads a token, surrounding white space aside.
    ///
    /// # Errors
    /// [`BadToken`] when the text has another form.
    pub fn parse(text: &str) -> Result<Self, BadToken> {
        let text = text.trim();
        if text.len() > TOKEN_BYTES_MAX {
            return Err(BadToken);
        }
        let rest = text.strip_prefix(PREFIX).ok_or(BadToken)?;
        let (scope, random) = rest.split_once('_').ok_or(BadToken)?;
        let scope = scope.parse().map_err(|_| BadToken)?;
        let random = URL_SAFE_NO_PAD.decode(random).map_err(|_| BadToken)?;
        match random.len() {
            RANDOM_BYTES => Ok(Self {
                scope,
                text: SecretString::from(text),
            }),
            _ => Err(BadToken),
        }
    }

    /// The scope that its text names. The row decides, not the text.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// What is stored of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(hex::encode(Sha256::digest(
            self.text.expose_secret().as_bytes(),
        )))
    }

    /// Its text, to be shown once to the person who made it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.text.expose_secret()
    }

    /// Its last four characters.
    #[must_use]
    pub fn last4(&self) -> &str {
        let text = self.text.expose_secret();
        text.get(text.len().saturating_sub(4)..).unwrap_or_default()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({PREFIX}{}_…)", self.scope)
    }
}

/// SHA-256 of a token's text, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(String);

impl TokenHash {
    /// The hash as text, to be used as a key of the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two hashes are equal; takes the same time wherever they differ.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}
