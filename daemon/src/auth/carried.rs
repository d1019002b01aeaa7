//! Finds a request's token. Senders differ: Prometheus sends a bearer token; others can only use
//! basic authentication, a custom header or the URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::secret::{BadToken, TOKEN_BYTES_MAX, Token};

/// Longest accepted `Authorization` header, in bytes: fits a user name and a token in base64.
const HEADER_BYTES_MAX: usize = 4 * TOKEN_BYTES_MAX;
/// The query parameter.
const QUERY_KEY: &str = "key";

/// The parts of a request that may carry a token.
#[derive(Clone, Copy, Default)]
pub struct Carried<'a> {
    /// The header `Authorization`: `Bearer TOKEN`, or `Basic` with the token as the password and
    /// any user.
    pub authorization: Option<&'a str>,
    /// The header `X-Tocsin-Key`.
    pub tocsin_key: Option<&'a str>,
    /// The URL's query, with `key=TOKEN`.
    pub query: Option<&'a str>,
}

/// Why a request's token cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableToken {
    /// What is sent is not a token.
    #[error(transparent)]
    Bad(#[from] BadToken),
    /// There are two different tokens.
    #[error("the request has two different tokens; send one")]
    Different,
}

/// The request's token, if it has one.
///
/// # Errors
/// [`UnreadableToken`] when there is not exactly one valid token.
pub fn carried(places: Carried<'_>) -> Result<Option<Token>, UnreadableToken> {
    let texts = [
        places.authorization.map(from_authorization).transpose()?,
        places.tocsin_key.map(str::to_owned),
        places.query.and_then(from_query),
    ];
    let mut found: Option<Token> = None;
    for text in texts.into_iter().flatten() {
        let token = Token::parse(&text)?;
        match &found {
            Some(other) if !other.hash().matches(&token.hash()) => {
                return Err(UnreadableToken::Different);
            }
            _ => found = Some(token),
        }
    }
    Ok(found)
}

/// RFC 6750 and RFC 7617; the scheme's name is case-insensitive.
fn from_authorization(header: &str) -> Result<String, BadToken> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(BadToken);
    }
    let (scheme, rest) = header.trim().split_once(' ').ok_or(BadToken)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(rest.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(BadToken);
    }
    let decoded = STANDARD.decode(rest.trim()).map_err(|_| BadToken)?;
    let pair = String::from_utf8(decoded).map_err(|_| BadToken)?;
    let (_user, password) = pair.split_once(':').ok_or(BadToken)?;
    Ok(password.to_owned())
}

/// A token contains no characters that are escaped in URLs.
fn from_query(query: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(key, _)| *key == QUERY_KEY)
        .map(|(_, value)| value.to_owned())
        .next()
}

impl std::fmt::Debug for Carried<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carried")
            .field("authorization", &self.authorization.is_some())
            .field("tocsin_key", &self.tocsin_key.is_some())
            .field("query", &self.query.is_some())
            .finish()
    }
}
