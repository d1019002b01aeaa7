//! What a verdict was decided from: every read of the policy, with its answer. A policy is a pure
//! function, so its verdict stands until one of these answers changes.

mod alerts;
mod cache;
mod candidates;
mod display;
mod fields;
mod read;
mod tree;
mod watch;

use std::cell::RefCell;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tocsin_core::Timestamp;
use tocsin_core::limits::VERDICT_INPUT_BYTES_MAX;

use crate::text::cut;

pub use cache::CacheStats;
pub(crate) use cache::{Cache, Known};
pub use candidates::{CandidateField, LoadField};
pub use fields::{AlertField, ClockField, IncidentField};
pub(crate) use read::changes;
pub use read::{AgeOf, Answer, Facts, LabelsOf, Quantity, Read};
pub(crate) use tree::Tree;
pub use watch::Basis;

/// Longest text of a stored read or answer, in bytes.
const TEXT_BYTES_MAX: usize = 128;
/// Entries of a stored list.
const LIST_MAX: usize = 16;
/// Reads at the beginning that are kept when reads are left out.
const FIRST_READS: usize = 4;
/// Room for the pair that says how much was left out, in bytes.
const LEFT_OUT_BYTES_MAX: usize = 64;
/// Reads that a trace holds; a call with more is not cached.
pub const READS_MAX: usize = 512;

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// The reads of one call, in order, each once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trace {
    pub reads: Vec<(Read, Answer)>,
    /// Whether reads are missing. What such a trace says is true, but not all that the verdict
    /// depends on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

impl Trace {
    /// Whether the verdict still stands: nothing that it read has another answer. A trace that was
    /// cut cannot say so.
    #[must_use]
    pub fn holds(&self, facts: Facts<'_>) -> bool {
        let mut reads = self.reads.iter();
        !self.is_cut && reads.all(|(read, answer)| read.answer(facts).as_ref() == Some(answer))
    }

    /// The reads as pairs of an expression and its answer, in order, for people to read later: at
    /// most [`VERDICT_INPUT_BYTES_MAX`] as JSON, with long texts truncated. The first few are kept
    /// and as many of the last, which decided, as fit; a pair between them counts the others.
    #[must_use]
    pub fn bounded(&self) -> Value {
        let pair = |(read, answer): &(Read, Answer)| {
            json!([
                cut(&read.to_string(), TEXT_BYTES_MAX),
                answer.shown(read).bounded()
            ])
        };
        let mut pairs: Vec<Value> = self.reads.iter().map(pair).collect();
        let mut room = VERDICT_INPUT_BYTES_MAX - LEFT_OUT_BYTES_MAX;
        let mut fits = |pair: &&Value| {
            let left = room.checked_sub(pair.to_string().len() + 1);
            room = left.unwrap_or(0);
            left.is_some()
        };
        let first = pairs.iter().take(FIRST_READS).take_while(&mut fits).count();
        let last = pairs.iter().skip(first).rev().take_while(&mut fits).count();
        let left_out = pairs.len() - first - last;
        if left_out > 0 || self.is_cut {
            let more = if self.is_cut { "+" } else { "" };
            let others = json!(["…", format!("{left_out}{more} more")]);
            pairs.splice(first..first + left_out, [others]);
        }
        Value::Array(pairs)
    }

    /// All reads as such pairs.
    #[must_use]
    pub fn whole(&self) -> Value {
        let reads = self.reads.iter();
        reads
            .map(|(read, answer)| json!([read.to_string(), answer.shown(read)]))
            .collect()
    }

    /// When the clock alone next changes an answer, at the earliest and after now.
    #[must_use]
    pub fn flips_at(&self, facts: Facts<'_>) -> Option<Timestamp> {
        let flips = self
            .reads
            .iter()
            .filter_map(|(read, _)| read.flips_at(facts));
        flips.min()
    }
}

#[derive(Default)]
struct Recorder {
    trace: Trace,
    /// Where in the trace each read is.
    seen: HashMap<Read, usize>,
    /// The values of quantities that change under a call.
    live: HashMap<Quantity, i64>,
}

/// Runs `call` and records what it reads.
pub(crate) fn recorded<T>(call: impl FnOnce() -> T) -> (T, Trace) {
    RECORDER.set(Some(Recorder::default()));
    let answer = call();
    let recorder = RECORDER.take().unwrap_or_default();
    (answer, recorder.trace)
}

/// What `read` finds in the facts, recorded: the same answer during a call, also if what it asks
/// changes meanwhile. The empty text when the facts lack what it is about, which no getter asks
/// for.
pub(crate) fn read(read: Read, facts: Facts<'_>) -> Answer {
    if let Some(known) = known(&read) {
        return known;
    }
    let answer = read.answer(facts);
    let answer = answer.unwrap_or_else(|| Answer::Text(String::new()));
    note(read, answer.clone());
    answer
}

/// What this call has read before.
fn known(read: &Read) -> Option<Answer> {
    RECORDER.with_borrow(|recorder| {
        let recorder = recorder.as_ref()?;
        let known = recorder.trace.reads.get(*recorder.seen.get(read)?)?;
        Some(known.1.clone())
    })
}

/// The value of a quantity, the same one during a call.
pub(crate) fn steady(quantity: &Quantity, facts: Facts<'_>) -> i64 {
    let value = || quantity.value(facts).unwrap_or(0);
    RECORDER.with_borrow_mut(|recorder| match recorder {
        Some(recorder) if quantity.is_live() => {
            let known = recorder.live.entry(quantity.clone());
            *known.or_insert_with(value)
        }
        _ => value(),
    })
}

/// Records a read whose answer is known already.
pub(crate) fn note(read: Read, answer: Answer) {
    RECORDER.with_borrow_mut(|recorder| {
        let Some(recorder) = recorder else { return };
        if recorder.seen.contains_key(&read) {
            return;
        }
        if recorder.trace.reads.len() >= READS_MAX {
            recorder.trace.is_cut = true;
            return;
        }
        let at = recorder.trace.reads.len();
        recorder.seen.insert(read.clone(), at);
        recorder.trace.reads.push((read, answer));
    });
}
