//! Log entries that people write.

use crate::event::Event;
use crate::log::entry::LogDraft;
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::text::bounded;
use crate::{Timestamp, limits};

/// A link that is too long is left out, and so is a time in the future: the entry counts more.
pub(crate) fn write(entry: LogDraft, now: Timestamp) -> Result<Outcome, Refusal> {
    let LogDraft {
        kind,
        body,
        mut written,
    } = entry;
    let body = bounded("log entry", body, limits::LOG_BODY_BYTES_MAX)?;
    written.at = written.at.filter(|it| *it <= now);
    let fits = |it: &String| it.len() <= limits::LOG_LINK_BYTES_MAX;
    written.link = written.link.filter(fits);
    Ok(Outcome::of(vec![Event::Logged {
        kind,
        body,
        written,
    }]))
}
