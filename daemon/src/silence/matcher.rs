//! A condition on a label.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use tocsin_core::Labels;
use tocsin_core::limits::{LABEL_NAME_BYTES_MAX, LABEL_VALUE_BYTES_MAX};

use super::wire::WireMatcher;
use super::{PATTERN_COMPILED_BYTES_MAX, PATTERN_NESTING_MAX};

/// A matcher's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchOp {
    Equal,
    NotEqual,
    Matches,
    NotMatches,
}

impl MatchOp {
    /// The operator's text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Matches => "=~",
            Self::NotMatches => "!~",
        }
    }

    /// Whether the value is a regular expression.
    #[must_use]
    pub fn is_regex(self) -> bool {
        matches!(self, Self::Matches | Self::NotMatches)
    }

    /// Whether it requires a match, not a difference.
    #[must_use]
    pub fn is_equal(self) -> bool {
        matches!(self, Self::Equal | Self::Matches)
    }

    pub(super) fn of(is_regex: bool, is_equal: bool) -> Self {
        match (is_regex, is_equal) {
            (false, true) => Self::Equal,
            (false, false) => Self::NotEqual,
            (true, true) => Self::Matches,
            (true, false) => Self::NotMatches,
        }
    }
}

/// A condition on a label. A pattern matches the whole value, as in Alertmanager; its syntax is
/// the regex crate's, which is RE2's without `\Q…\E`, and with Unicode `\d`, `\s` and `\w`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "WireMatcher", try_from = "WireMatcher")]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    pattern: Option<Regex>,
}

impl Matcher {
    /// Makes a matcher.
    ///
    /// # Errors
    /// When the name is empty, name or value is over its limit, or a pattern does not compile
    /// within [`PATTERN_COMPILED_BYTES_MAX`].
    pub fn new(
        name: impl Into<String>,
        op: MatchOp,
        value: impl Into<String>,
    ) -> Result<Self, MatcherError> {
        let (name, value) = (name.into(), value.into());
        if name.is_empty() {
            return Err(MatcherError::NoName);
        }
        if name.len() > LABEL_NAME_BYTES_MAX {
            return Err(MatcherError::NameTooLong(name.len()));
        }
        if value.len() > LABEL_VALUE_BYTES_MAX {
            return Err(MatcherError::ValueTooLong {
                name,
                bytes: value.len(),
            });
        }
        let pattern = op.is_regex().then(|| compile(&name, &value)).transpose()?;
        Ok(Self {
            name,
            op,
            value,
            pattern,
        })
    }

    /// The label's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    #[must_use]
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or pattern to compare with.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label with this value meets the condition; an absent label has the empty value.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let alike = match &self.pattern {
            Some(pattern) => pattern.is_match(value),
            None => self.value == value,
        };
        alike == self.op.is_equal()
    }
}

/// Compiles a pattern that matches whole values.
pub(crate) fn compile(name: &str, pattern: &str) -> Result<Regex, MatcherError> {
    let compile = |text: &str| {
        RegexBuilder::new(text)
            .size_limit(PATTERN_COMPILED_BYTES_MAX)
            .dfa_size_limit(PATTERN_COMPILED_BYTES_MAX)
            .nest_limit(PATTERN_NESTING_MAX)
            .build()
            .map_err(|error| MatcherError::Pattern {
                name: name.to_owned(),
                pattern: pattern.to_owned(),
                reason: last_line(&error.to_string()),
            })
    };
    // Without the anchors first, so that `a)|(b` cannot escape their parentheses.
    compile(pattern)?;
    compile(&format!("^(?:{pattern})$"))
}

/// The regex crate's errors are multi-line; the last line has the reason.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

/// Whether the labels meet every condition.
#[must_use]
pub fn matches_all(matchers: &[Matcher], labels: &Labels) -> bool {
    matchers
        .iter()
        .all(|matcher| matcher.matches(labels.get(&matcher.name).map_or("", String::as_str)))
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Eq for Matcher {}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if super::parse::is_classic_name(&self.name) {
            f.write_str(&self.name)?;
        } else {
            write_quoted(f, &self.name)?;
        }
        f.write_str(self.op.as_str())?;
        write_quoted(f, &self.value)
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let escaped = text
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n");
    write!(f, "\"{escaped}\"")
}

/// Why a condition is not a matcher.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// The label has no name.
    #[error("a matcher needs a label's name, as in severity=\"critical\"")]
    NoName,
    /// The label's name is over the limit.
    #[error("a matcher's name has {0} bytes; the limit is {LABEL_NAME_BYTES_MAX}")]
    NameTooLong(usize),
    /// The value is over the limit.
    #[error(
        "the matcher on `{name}` has a value of {bytes} bytes; the limit is \
         {LABEL_VALUE_BYTES_MAX}"
    )]
    ValueTooLong { name: String, bytes: usize },
    /// The pattern does not compile.
    #[error(
        "the matcher on `{name}` has the pattern `{pattern}`, which is not a regular expression: \
         {reason}"
    )]
    Pattern {
        name: String,
        pattern: String,
        /// The regex crate's message.
        reason: String,
    },
}
