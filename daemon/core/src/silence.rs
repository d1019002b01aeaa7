//! Silences as incidents know them. Which alerts a silence matches is decided outside the core.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::text::cut_as_json;

/// A silence, as an incident names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceRef {
    pub id: String,
    /// Who created it, as free text, truncated to
    /// [`SILENCE_AUTHOR_BYTES_MAX`](limits::SILENCE_AUTHOR_BYTES_MAX).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// Why, truncated to [`SILENCE_COMMENT_BYTES_MAX`](limits::SILENCE_COMMENT_BYTES_MAX).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub comment: String,
}

impl SilenceRef {
    #[must_use]
    pub fn new(id: &str, author: &str, comment: &str) -> Self {
        Self {
            id: id.to_owned(),
            author: cut_as_json(author, limits::SILENCE_AUTHOR_BYTES_MAX),
            comment: cut_as_json(comment, limits::SILENCE_COMMENT_BYTES_MAX),
        }
    }
}

/// By its author and comment, as in "ada (deployment)"; by its ID if it has no author.
impl fmt::Display for SilenceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.author.as_str() {
            "" => write!(f, "silence {}", self.id)?,
            author => f.write_str(author)?,
        }
        match self.comment.as_str() {
            "" => Ok(()),
            comment => write!(f, " ({comment})"),
        }
    }
}
