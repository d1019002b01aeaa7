//! Log entries that people write.

use crate::event::Event;
use crate::limits;
use crate::log::entry::LogKind;
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::text::bounded;

pub(crate) fn write(kind: LogKind, body: String) -> Result<Outcome, Refusal> {
    let body = bounded("log entry", body, limits::LOG_BODY_BYTES_MAX)?;
    Ok(Outcome::of(vec![Event::Logged { kind, body }]))
}
