//! The text of a token: `tocsin_<scope>_<43 characters of base64url>`.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::row::Scope;

/// Random bytes in a token. 256 bits cannot be guessed, so a fast hash is enough for storage.
pub const RANDOM_BYTES: usize = 32;
/// Longest text that is parsed as a token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 128;

const PREFIX: &str = "tocsin_";

/// A token. Its text is shown once, by [`Token::reveal`]; `Debug` shows only its scope.
#[derive(Clone)]
pub struct Token {
    scope: Scope,
    text: SecretString,
}

/// Text that is not a token. Does not contain the text, which may be a mistyped token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a tocsin token; tokens start with tocsin_ and are made by `tocsin token create`")]
pub struct BadToken;

/// Text for an error message: a token that was passed in place of a name or ID is redacted.
#[must_use]
pub fn redact_token(text: &str) -> &str {
    if text.trim_start().starts_with(PREFIX) {
        "tocsin_…"
    } else {
        text
    }
}

impl Token {
    /// A token from `random` bytes, which must come from the system's random generator.
    #[must_use]
    pub fn new(scope: Scope, random: [u8; RANDOM_BYTES]) -> Self {
        let text = format!("{PREFIX}{scope}_{}", URL_SAFE_NO_PAD.encode(random));
        Self {
            scope,
            text: SecretString::from(text),
        }
    }

    /// Parses a token, ignoring surrounding whitespace.
    ///
    /// # Errors
    /// [`BadToken`] when the text is not a token.
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

    /// The scope in the token's text. The row's scope is what counts.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The hash, which is stored.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(hex::encode(Sha256::digest(
            self.text.expose_secret().as_bytes(),
        )))
    }

    /// The token's text, to be shown once to the person who created it.
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
    /// The hash as text, for use as a key of the store.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two hashes are equal; compares in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}
