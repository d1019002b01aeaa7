//! References to secrets. The configuration names where a secret is stored and never contains it,
//! so that the file can be shared and kept in version control.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Longest secret, in bytes.
pub const SECRET_BYTES_MAX: usize = 16 * 1024;

const ADVICE: &str = "write { env = \"NAME\" } for an environment variable, \
                      or { file = \"path\" } for a file that contains only the secret";

/// Where a secret is stored: `{ env = "NAME" }` or `{ file = "path" }`. A relative path is relative
/// to the configuration file. A literal secret is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretRef {
    /// In an environment variable.
    Env(String),
    /// In a file, without trailing line breaks.
    File(PathBuf),
}

/// Why a secret could not be read. Never shows what was read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set or not UTF-8.
    #[error("environment variable {0} is not set; set it before the daemon starts")]
    NotSet(String),
    /// The file cannot be read.
    #[error("cannot read the secret in {path}: {cause}; create the file, readable by the daemon")]
    File {
        path: PathBuf,
        cause: std::io::Error,
    },
    /// It is empty or too long.
    #[error("the secret in {0} is empty or over {SECRET_BYTES_MAX} bytes; store the secret there")]
    Unusable(String),
}

impl SecretRef {
    /// Reads the secret.
    ///
    /// # Errors
    /// [`SecretError`] when it is not there, empty, or longer than [`SECRET_BYTES_MAX`].
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Env(name) => {
                std::env::var(name).map_err(|_| SecretError::NotSet(name.clone()))?
            }
            Self::File(path) => {
                std::fs::read_to_string(path).map_err(|cause| SecretError::File {
                    path: path.clone(),
                    cause,
                })?
            }
        };
        let trimmed = text.trim_end_matches(['\r', '\n']);
        if trimmed.is_empty() || trimmed.len() > SECRET_BYTES_MAX {
            return Err(SecretError::Unusable(self.to_string()));
        }
        Ok(SecretString::from(trimmed))
    }

    pub(super) fn base_on(&mut self, folder: &Path) {
        if let Self::File(path) = self {
            *path = folder.join(&path);
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(PlaceVisitor)
    }
}

struct PlaceVisitor;

impl<'de> Visitor<'de> for PlaceVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reference to a secret")
    }

    fn visit_str<E: Error>(self, _secret: &str) -> Result<SecretRef, E> {
        Err(E::custom(format!(
            "a secret must not be in this file; {ADVICE}"
        )))
    }

    fn visit_i64<E: Error>(self, _secret: i64) -> Result<SecretRef, E> {
        self.visit_str("")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
        let mut places = BTreeMap::new();
        while let Some((key, place)) = map.next_entry::<String, String>()? {
            places.insert(key, place);
        }
        let place = match (places.len(), places.remove("env"), places.remove("file")) {
            (1, Some(name), None) if is_variable(&name) => SecretRef::Env(name),
            (1, None, Some(path)) => SecretRef::File(path.into()),
            (1, Some(_), None) => {
                let advice = "use letters, digits and _, and set the variable to the secret";
                return Err(A::Error::custom(format!(
                    "`env` is not the name of a variable; {advice}"
                )));
            }
            _ => {
                return Err(A::Error::custom(format!(
                    "a secret must have exactly one of `env` and `file`; {ADVICE}"
                )));
            }
        };
        Ok(place)
    }
}

/// Whether `name` can be the name of a variable, rather than, say, the secret itself.
fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
