//! Reads secrets and redacts them from everything that reaches a guest.
//!
//! A guest refers to a credential by name and never sees it. The values are read for each call, so
//! that a rotated secret needs no reload, and they are redacted from every response.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;
use std::path::PathBuf;
use url::form_urlencoded;

/// Shorter secrets could occur in responses by chance and be redacted wrongly. In bytes.
const SECRET_BYTES_MIN: usize = 4;
/// The longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 8 << 10;

/// Where the operator stores a secret. Never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In this environment variable of the daemon.
    Env(String),
    /// In this file; one trailing newline is ignored.
    File(PathBuf),
}

impl<'de> Deserialize<'de> for SecretSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Place {
            env: Option<String>,
            file: Option<PathBuf>,
        }
        // The error of a derived implementation would repeat the input: the secret.
        match Place::deserialize(deserializer) {
            Ok(Place {
                env: Some(name),
                file: None,
            }) => Ok(Self::Env(name)),
            Ok(Place {
                env: None,
                file: Some(path),
            }) => Ok(Self::File(path)),
            _ => Err(de::Error::custom(
                "write { env = \"VARIABLE\" } or { file = \"/path\" }: a secret is never written \
                 into the configuration itself",
            )),
        }
    }
}

/// Why a secret could not be read. The text contains the location, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The configuration has no location for it.
    #[error("the secret `{0}` is not configured; add it to `secrets` of the plugin in tocsin.toml")]
    Missing(String),
    /// The variable or file is missing, empty or unreadable.
    #[error("the secret `{name}` cannot be read: {reason}")]
    Unreadable { name: String, reason: String },
}

impl SecretSource {
    /// Reads the secret now.
    ///
    /// # Errors
    /// When the variable or the file is missing, or its length is out of bounds.
    pub fn read(&self, name: &str) -> Result<SecretString, SecretError> {
        let fault = |reason: String| SecretError::Unreadable {
            name: name.into(),
            reason,
        };
        let value = match self {
            Self::Env(variable) => std::env::var(variable)
                .map_err(|_| fault(format!("the environment variable {variable} is not set")))?,
            Self::File(path) => {
                let mut text = std::fs::read_to_string(path)
                    .map_err(|error| fault(format!("{}: {error}", path.display())))?;
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
                text
            }
        };
        if !(SECRET_BYTES_MIN..=SECRET_BYTES_MAX).contains(&value.len()) {
            return Err(fault(format!(
                "it has {} bytes; {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} are allowed",
                value.len()
            )));
        }
        Ok(value.into())
    }
}

/// The secrets of one plugin, read once for one call.
#[derive(Debug, Default)]
pub(crate) struct SecretSet {
    values: BTreeMap<String, Result<SecretString, SecretError>>,
    /// Other spellings of the values, by the secret's name.
    spellings: Vec<(String, SecretString)>,
}

impl SecretSet {
    pub(crate) fn read(sources: &BTreeMap<String, SecretSource>) -> Self {
        let values = sources
            .iter()
            .map(|(name, source)| (name.clone(), source.read(name)));
        let mut set = Self {
            values: values.collect(),
            spellings: Vec::new(),
        };
        let known = set
            .values
            .iter()
            .filter_map(|(name, it)| Some((name, it.as_ref().ok()?)));
        for (name, value) in known {
            let plain = value.expose_secret();
            let form: String = form_urlencoded::byte_serialize(plain.as_bytes()).collect();
            for spelling in [form.replace('+', "%20"), form] {
                if spelling != plain {
                    set.spellings.push((name.clone(), spelling.into()));
                }
            }
        }
        set
    }

    /// Also redacts these spellings of its secrets.
    pub(crate) fn also_redact(&mut self, spellings: Vec<(String, SecretString)>) {
        self.spellings.extend(spellings);
    }

    pub(crate) fn get(&self, name: &str) -> Result<&SecretString, SecretError> {
        match self.values.get(name) {
            Some(Ok(value)) => Ok(value),
            Some(Err(error)) => Err(error.clone()),
            None => Err(SecretError::Missing(name.into())),
        }
    }

    /// Replaces every secret in `bytes` by `[secret:NAME]`, and returns the number of replacements.
    pub(crate) fn redact(&self, bytes: Vec<u8>) -> (Vec<u8>, usize) {
        let mut bytes = bytes;
        let mut found = 0;
        let values = self.values.iter();
        let values = values.filter_map(|(name, value)| Some((name, value.as_ref().ok()?)));
        let spellings = self.spellings.iter().map(|(name, it)| (name, it));
        for (name, value) in values.chain(spellings) {
            let mask = format!("[secret:{name}]");
            let count = replace(
                &mut bytes,
                value.expose_secret().as_bytes(),
                mask.as_bytes(),
            );
            found += count;
        }
        (bytes, found)
    }

    pub(crate) fn redact_text(&self, text: &str) -> (String, usize) {
        let (bytes, found) = self.redact(text.as_bytes().to_vec());
        (String::from_utf8_lossy(&bytes).into_owned(), found)
    }
}

fn replace(bytes: &mut Vec<u8>, needle: &[u8], mask: &[u8]) -> usize {
    let Some(first) = find(bytes, needle) else {
        return 0;
    };
    let mut out = Vec::with_capacity(bytes.len());
    let (mut rest, mut at, mut count) = (&bytes[..], first, 0);
    loop {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(mask);
        count += 1;
        rest = &rest[at + needle.len()..];
        match find(rest, needle) {
            Some(next) => at = next,
            None => break,
        }
    }
    out.extend_from_slice(rest);
    *bytes = out;
    count
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        secret: SecretSource,
    }

    #[test]
    fn a_secret_written_into_the_configuration_is_refused_without_repeating_it() {
        let error = toml::from_str::<Holder>("secret = \"xoxb-1234\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("{ env = \"VARIABLE\" }"), "{error}");
        assert!(
            !toml::from_str::<Holder>("secret = \"xoxb-1234\"")
                .unwrap_err()
                .message()
                .contains("xoxb")
        );
    }

    #[test]
    fn a_source_is_an_environment_variable_or_a_file() {
        let holder: Holder = toml::from_str("secret = { env = \"A\" }").unwrap();
        assert_eq!(holder.secret, SecretSource::Env("A".into()));
        for wrong in [
            "secret = {}",
            "secret = { env = \"A\", file = \"b\" }",
            "secret = 3",
        ] {
            assert!(toml::from_str::<Holder>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_occurrence_of_a_secret_is_redacted_from_a_response() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "xoxb-1\n").unwrap();
        let sources = BTreeMap::from([("bot".to_owned(), SecretSource::File(path))]);
        let secrets = SecretSet::read(&sources);
        let (bytes, found) = secrets.redact(b"a xoxb-1 b xoxb-1xoxb-1".to_vec());
        assert_eq!(found, 3);
        assert_eq!(bytes, b"a [secret:bot] b [secret:bot][secret:bot]");
        assert!(!format!("{secrets:?}").contains("xoxb"));
    }
}
