//! The JSON format of silences in Alertmanager's API v2.

use serde::{Deserialize, Serialize};
use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_core::{Labels, Timestamp};

use super::matcher::{MatchOp, Matcher, MatcherError};
use super::parse::{MatcherSyntaxError, parse_matcher, shown};
use super::value::{Hid, Silence, SilenceState};
use super::{COMMENT_BYTES_MAX, MATCHERS_MAX, SILENCE_BODY_BYTES_MAX};
use crate::time::{format_time, parse_time};

/// A matcher in JSON; `isEqual` was added later and is true when absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireMatcher {
    pub name: String,
    /// The value or pattern.
    pub value: String,
    /// Whether it is a pattern.
    pub is_regex: bool,
    /// Whether it requires a match, not a difference.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}

impl From<Matcher> for WireMatcher {
    fn from(matcher: Matcher) -> Self {
        Self {
            name: matcher.name().to_owned(),
            value: matcher.value().to_owned(),
            is_regex: matcher.op().is_regex(),
            is_equal: matcher.op().is_equal(),
        }
    }
}

impl WireMatcher {
    /// How it compares.
    #[must_use]
    pub fn op(&self) -> MatchOp {
        MatchOp::of(self.is_regex, self.is_equal)
    }
}

impl TryFrom<WireMatcher> for Matcher {
    type Error = MatcherError;

    fn try_from(wire: WireMatcher) -> Result<Self, MatcherError> {
        let op = wire.op();
        Self::new(wire.name, op, wire.value)
    }
}

/// The request body to create or change a silence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PostableSilence {
    /// The silence to change; absent or empty for a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub matchers: Vec<WireMatcher>,
    /// RFC 3339.
    pub starts_at: String,
    /// RFC 3339.
    pub ends_at: String,
    pub created_by: String,
    pub comment: String,
    /// Attached by the client.
    #[serde(default)]
    pub annotations: Labels,
}

/// Parses the body of `POST /api/v2/silences`.
///
/// # Errors
/// The message for the 400 response, in Alertmanager's wording where it has one.
pub fn read_postable(body: &[u8]) -> Result<PostableSilence, String> {
    if body.len() > SILENCE_BODY_BYTES_MAX {
        return Err(format!(
            "the body is larger than {SILENCE_BODY_BYTES_MAX} bytes"
        ));
    }
    let silence: PostableSilence = serde_json::from_slice(body)
        .map_err(|error| format!("parsing silence body failed: {}", shown(&error.to_string())))?;
    Ok(PostableSilence {
        id: silence.id.filter(|id| !id.is_empty()),
        ..silence
    })
}

impl PostableSilence {
    /// Makes a silence with `new_id`, or with its own ID if it changes an existing one.
    /// A new silence cannot start in the past; its start then becomes `now`.
    ///
    /// # Errors
    /// The message for the 400 response, in Alertmanager's wording where it has one.
    pub fn into_silence(self, new_id: &str, now: Timestamp) -> Result<Silence, String> {
        let starts_at = time("startsAt", &self.starts_at)?;
        let ends_at = time("endsAt", &self.ends_at)?;
        if ends_at <= starts_at {
            return Err("failed to create silence: start time must be before end time".into());
        }
        if ends_at <= now {
            return Err("failed to create silence: end time can't be in the past".into());
        }
        if self.created_by.len() > NAME_BYTES_MAX {
            return Err(format!("`createdBy` is longer than {NAME_BYTES_MAX} bytes"));
        }
        if self.comment.len() > COMMENT_BYTES_MAX {
            return Err(format!(
                "`comment` is longer than {COMMENT_BYTES_MAX} bytes"
            ));
        }
        check_annotations(&self.annotations)?;
        let matchers = matchers(self.matchers)?;
        let is_new = self.id.is_none();
        Ok(Silence {
            id: self.id.unwrap_or_else(|| new_id.to_owned()),
            matchers,
            starts_at: if is_new {
                starts_at.max(now)
            } else {
                starts_at
            },
            ends_at,
            updated_at: now,
            created_by: self.created_by,
            comment: self.comment,
            annotations: self.annotations,
        })
    }
}

fn time(name: &str, text: &str) -> Result<Timestamp, String> {
    parse_time(text)
        .flatten()
        .ok_or_else(|| format!("`{name}` must be a time such as 2026-01-31T12:00:00Z"))
}

fn check_annotations(annotations: &Labels) -> Result<(), String> {
    let bytes: usize = annotations
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > COMMENT_BYTES_MAX {
        return Err(format!(
            "`annotations` are larger than {COMMENT_BYTES_MAX} bytes"
        ));
    }
    Ok(())
}

fn matchers(wire: Vec<WireMatcher>) -> Result<Vec<Matcher>, String> {
    if wire.len() > MATCHERS_MAX {
        return Err(format!(
            "a silence can have at most {MATCHERS_MAX} matchers, not {}",
            wire.len()
        ));
    }
    let matchers: Vec<Matcher> = wire
        .into_iter()
        .map(Matcher::try_from)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("invalid silence: {error}"))?;
    if matchers.iter().all(|matcher| matcher.matches("")) {
        return Err(
            "invalid silence: at least one matcher must not match the empty string, or \
                    it would silence every alert"
                .into(),
        );
    }
    Ok(matchers)
}

/// The response to a posted silence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceCreated {
    /// The silence's ID; a new one when a change created a new silence.
    #[serde(rename = "silenceID")]
    pub silence_id: String,
    /// Why it may hide more than was meant; not part of Alertmanager's API.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A silence in a response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GettableSilence {
    pub id: String,
    pub status: SilenceStatus,
    /// When it was last changed, RFC 3339.
    pub updated_at: String,
    pub matchers: Vec<WireMatcher>,
    /// RFC 3339.
    pub starts_at: String,
    /// RFC 3339.
    pub ends_at: String,
    pub created_by: String,
    pub comment: String,
    pub annotations: Labels,
    /// What it has hidden; not part of Alertmanager's API.
    #[serde(default)]
    pub hid: Hid,
}

/// The state of a silence in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceStatus {
    /// Active, pending or expired.
    pub state: SilenceState,
}

impl GettableSilence {
    /// The silence with its state at `now`, as if it had hidden nothing.
    #[must_use]
    pub fn of(silence: &Silence, now: Timestamp) -> Self {
        Self {
            id: silence.id.clone(),
            status: SilenceStatus {
                state: silence.state(now),
            },
            updated_at: format_time(silence.updated_at),
            matchers: silence
                .matchers
                .iter()
                .cloned()
                .map(WireMatcher::from)
                .collect(),
            starts_at: format_time(silence.starts_at),
            ends_at: format_time(silence.ends_at),
            created_by: silence.created_by.clone(),
            comment: silence.comment.clone(),
            annotations: silence.annotations.clone(),
            hid: Hid::default(),
        }
    }
}

/// The query of `GET /api/v2/silences`.
#[derive(Clone, Debug)]
pub struct SilenceFilter {
    /// Each must be literally one of the silence's own matchers, as in Alertmanager.
    pub matchers: Vec<Matcher>,
    /// Whether to show active ones.
    pub active: bool,
    /// Whether to show pending ones.
    pub pending: bool,
    /// Whether to show expired ones.
    pub expired: bool,
}

impl Default for SilenceFilter {
    fn default() -> Self {
        Self {
            matchers: Vec::new(),
            active: true,
            pending: true,
            expired: true,
        }
    }
}

impl SilenceFilter {
    /// Parses the query's decoded pairs; unknown parameters are ignored.
    ///
    /// # Errors
    /// When a `filter` is not a matcher, or there are more than [`MATCHERS_MAX`].
    pub fn read<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, MatcherSyntaxError> {
        let mut filter = Self::default();
        for (_, value) in pairs.into_iter().filter(|(name, _)| *name == "filter") {
            filter.matchers.push(parse_matcher(value)?);
            if filter.matchers.len() > MATCHERS_MAX {
                return Err(MatcherSyntaxError::TooMany(filter.matchers.len()));
            }
        }
        Ok(filter)
    }

    /// Whether it selects this silence.
    #[must_use]
    pub fn selects(&self, silence: &Silence, now: Timestamp) -> bool {
        let wanted = match silence.state(now) {
            SilenceState::Active => self.active,
            SilenceState::Pending => self.pending,
            SilenceState::Expired => self.expired,
        };
        wanted
            && self
                .matchers
                .iter()
                .all(|asked| silence.matchers.contains(asked))
    }
}

/// The selected silences: first active ones by end, then pending ones by start, then expired ones
/// by end, newest first.
#[must_use]
pub fn list_silences<'a>(
    silences: impl IntoIterator<Item = &'a Silence>,
    filter: &SilenceFilter,
    now: Timestamp,
) -> Vec<GettableSilence> {
    let mut found: Vec<_> = silences
        .into_iter()
        .filter(|s| filter.selects(s, now))
        .collect();
    found.sort_by_key(|silence| {
        let state = silence.state(now);
        let order = match state {
            SilenceState::Active => silence.ends_at.0,
            SilenceState::Pending => silence.starts_at.0,
            SilenceState::Expired => silence.ends_at.0.saturating_neg(),
        };
        (state, order, &silence.id)
    });
    found
        .into_iter()
        .map(|silence| GettableSilence::of(silence, now))
        .collect()
}
