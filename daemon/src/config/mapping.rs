//! `[integrations.ID.mapping]`: where the parts of an alert are in the body, for kind `generic`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Where the fingerprint is by default; here it may be missing from the body.
pub const FINGERPRINT_DEFAULT: &str = "/fingerprint";

/// Where the parts of an alert are, as JSON pointers (RFC 6901) into the alert's own object.
/// A part that is left out keeps its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Mapping {
    /// The array of alerts in the body. `None`: the body is one alert or an array of alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Pointer>,
    /// The sender's identifier of the alert; without one, a hash of its labels and title.
    pub fingerprint: Pointer,
    /// Whether it is firing; an alert without a status is firing.
    pub status: Pointer,
    /// Statuses that mean firing, case-insensitive.
    pub status_firing: Vec<String>,
    /// Statuses that mean resolved, case-insensitive.
    pub status_resolved: Vec<String>,
    /// One line for people.
    pub title: Pointer,
    /// More text for people.
    pub summary: Pointer,
    /// The labels, by which policies route and grade.
    pub labels: LabelsFrom,
    /// A URL for people.
    pub link: Pointer,
    /// Since when it has been firing: RFC 3339, or a Unix time in seconds or milliseconds.
    pub starts_at: Pointer,
}

impl Default for Mapping {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        let at = |name: &str| Pointer(format!("/{name}"));
        Self {
            items: None,
            fingerprint: Pointer(FINGERPRINT_DEFAULT.to_owned()),
            status: at("status"),
            status_firing: words(&["firing", "alerting", "triggered", "problem", "open", "down"]),
            status_resolved: words(&["resolved", "ok", "recovered", "closed", "up"]),
            title: at("title"),
            summary: at("summary"),
            labels: LabelsFrom::Object(at("labels")),
            link: at("link"),
            starts_at: at("starts_at"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LabelsFrom {
    /// An object of names and values.
    Object(Pointer),
    Table(BTreeMap<String, Pointer>),
}

/// A JSON pointer (RFC 6901): empty for the whole document, else `/name/0/name` with `~0` for `~`
/// and `~1` for `/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pointer(String);

impl Pointer {
    /// The pointer as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Pointer {
    type Error = PointerError;

    fn try_from(text: String) -> Result<Self, PointerError> {
        let starts = text.is_empty() || text.starts_with('/');
        let escapes = text
            .split('~')
            .skip(1)
            .all(|rest| rest.starts_with(['0', '1']));
        if starts && escapes {
            Ok(Self(text))
        } else {
            Err(PointerError(text))
        }
    }
}

impl From<Pointer> for String {
    fn from(pointer: Pointer) -> Self {
        pointer.0
    }
}

/// Text that is not a JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a JSON pointer; write it as `/name` or `/list/0/name`, with `~1` for a slash in \
     a name and `~0` for a tilde"
)]
pub struct PointerError(pub String);
