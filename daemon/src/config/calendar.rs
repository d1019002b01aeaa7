//! `calendar` of a person: where it is, and what in it means that they are out of office.

use std::fmt;
use std::path::PathBuf;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::secret::SecretRef;
use crate::ical::WORDS_USUAL;

/// Most words of one calendar.
pub const CALENDAR_WORDS_MAX: usize = 64;

/// `calendar = { url = … }` or `calendar = { file = … }`: a person's own calendar in iCalendar
/// format, read every 15 minutes. Who is out of office by it is passed over when somebody else can
/// be paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CalendarConfig {
    /// An http or https URL, as text, or as a secret if whoever knows it can read the calendar:
    /// `{ env = "NAME" }` or `{ file = "path" }`.
    #[serde(default)]
    pub url: Option<CalendarUrl>,
    /// A file that something else keeps up to date.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// Words that mark an event as out of office, in its summary, in any case; at most 64. Default
    /// `vacation`, `out of office`, `OOO`, `PTO`, `sick`, `holiday`, `holidays`, `leave` and
    /// `day off`.
    #[serde(default = "usual_words")]
    pub words: Vec<String>,
}

/// The URL of a calendar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum CalendarUrl {
    Plain(String),
    Secret(SecretRef),
}

impl CalendarConfig {
    /// A short name of where the calendar is, which does not show it.
    #[must_use]
    pub fn place(&self) -> String {
        let text = format!("{:?} {:?}", self.url, self.file);
        blake3::hash(text.as_bytes()).to_hex().as_str()[..16].to_owned()
    }
}

impl fmt::Display for CalendarUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(url) => f.write_str(url),
            Self::Secret(secret) => write!(f, "the URL in {secret}"),
        }
    }
}

impl<'de> Deserialize<'de> for CalendarUrl {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(from)? {
            toml::Value::String(url) => Ok(Self::Plain(url)),
            other => SecretRef::deserialize(other)
                .map(Self::Secret)
                .map_err(|error| D::Error::custom(error.message().to_owned())),
        }
    }
}

fn usual_words() -> Vec<String> {
    WORDS_USUAL.map(str::to_owned).to_vec()
}
