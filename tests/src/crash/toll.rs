//! What a night came to, as one table.

use std::fmt;
use std::time::Duration;

use tocsin_core::Event;

use super::child::Log;
use super::ledger::{Act, Ledger};
use super::night::Counts;
use super::outside::Seen;
use super::plant::FAULTS;
use super::record::Record;

/// After so many kills everything that a night is for must have happened.
const KILLS_OF_A_NIGHT: u32 = 200;

/// What a night came to.
#[derive(Clone, Debug, Default)]
pub struct Toll {
    rows: Vec<(&'static str, String)>,
    /// What is wrong; empty after a good night.
    pub faults: Vec<String>,
}

impl fmt::Display for Toll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.rows {
            writeln!(f, "{what:<52} {count:>9}")?;
        }
        let mut faults = self.faults.iter();
        faults.try_for_each(|it| writeln!(f, "FAULT {it}"))
    }
}

/// Everything that is counted.
pub(super) struct Sums<'a> {
    pub(super) counts: &'a Counts,
    pub(super) ledger: &'a Ledger,
    pub(super) log: &'a Log,
    pub(super) seen: &'a Seen,
    pub(super) record: &'a Record,
    pub(super) took: Duration,
}

impl Sums<'_> {
    /// The table, and what is wrong.
    pub(super) fn toll(&self, mut faults: Vec<String>) -> Toll {
        // A night that was broken off is wrong already, and its record is empty.
        if faults.is_empty() && self.counts.kills >= KILLS_OF_A_NIGHT {
            faults = self.hollow();
        }
        let begin = |with: &str| faults.iter().filter(|it| it.starts_with(with)).count();
        let verdict = [
            ("answered and missing", begin("missing")),
            ("timers and deliveries lost", begin("lost")),
            ("timers and steps passed over", begin("passed over")),
            ("effects of unknown outcome left alone", begin("left alone")),
            ("all that is wrong", faults.len()),
        ];
        let counted = self.asked().into_iter().chain(self.done());
        let all = counted.chain(self.told()).chain(verdict);
        let mut rows: Vec<_> = all.map(|(what, count)| (what, count.to_string())).collect();
        rows.push(("seconds", format!("{:.1}", self.took.as_secs_f64())));
        Toll { rows, faults }
    }

    /// What such a night must have had occasion for and did not: a rule that was never put to the
    /// test is not held.
    fn hollow(&self) -> Vec<String> {
        let Self { counts, ledger, .. } = self;
        let acts = |act| ledger.acts.iter().filter(move |it| it.0.1 == act);
        let answered = |act| acts(act).filter(|it| it.1.answered).count();
        let found = [
            ("answered alerts", ledger.alerts_answered(), 1),
            ("answered acknowledgements", answered(Act::Ack), 1),
            ("answered resolves", answered(Act::Resolve), 1),
            ("looks", whole(counts.looks), 1),
            ("kills while it started", whole(counts.at_start), 1),
            ("timers at a look", counts.most_timers, 1),
            ("deliveries waiting at a look", counts.most_waiting, 1),
            ("pages marked as tried before", self.marked(), 1),
            ("effects of unknown outcome", counts.unknown.len(), 1),
            ("effects looked after", self.log.unknown.len(), 1),
            ("packed incidents at a look", counts.packed, 1),
            ("faults planted", counts.planted.len(), FAULTS.len()),
        ];
        let short = found.into_iter().filter(|(_, count, least)| count < least);
        let short = short.map(|(what, count, least)| {
            format!("hollow: {what} are {count} and must be at least {least}")
        });
        short.collect()
    }

    fn count(&self, is_it: fn(&Event) -> bool) -> usize {
        let all = self.record.incidents.values().flat_map(|it| &it.events);
        all.filter(|it| is_it(&it.event)).count()
    }

    fn marked(&self) -> usize {
        self.count(|it| matches!(it, Event::PageTaken { interrupted, .. } if *interrupted))
    }

    fn asked(&self) -> Vec<(&'static str, usize)> {
        let Self { counts, ledger, .. } = self;
        let mut starts: Vec<u128> = counts.starts.iter().map(Duration::as_millis).collect();
        starts.sort_unstable();
        let usual = starts.get(starts.len() / 2).copied().unwrap_or_default();
        let acts = ledger.acts.values().filter(|it| it.answered);
        let lines = ledger.lines.values().filter(|it| it.1.answered);
        let opened = ledger.opened.values().filter(|it| it.answered);
        vec![
            ("kills", whole(counts.kills)),
            ("  while it started", whole(counts.at_start)),
            ("milliseconds of a start, median", whole(usual)),
            ("looks into the store after a kill", whole(counts.looks)),
            ("requests answered with success", whole(ledger.answers)),
            (
                "requests not answered, and repeated",
                whole(ledger.unanswered),
            ),
            ("  alerts answered", ledger.alerts_answered()),
            ("  acknowledgements and resolves answered", acts.count()),
            ("  lines of logs answered", lines.count()),
            ("  incidents opened by hand", opened.count()),
        ]
    }

    fn done(&self) -> Vec<(&'static str, usize)> {
        let count = |is_it| self.count(is_it);
        vec![
            ("incidents", self.record.incidents.len()),
            ("  packed at the last look", self.counts.packed),
            ("  packed at the end", self.record.packed),
            (
                "escalation steps, all but the first by timers",
                count(|it| matches!(it, Event::Escalated { .. })),
            ),
            ("most timers set at a look", self.counts.most_timers),
            (
                "most deliveries waiting at a look",
                self.counts.most_waiting,
            ),
            (
                "pages taken",
                count(|it| matches!(it, Event::PageTaken { .. })),
            ),
            ("  marked: an earlier try was cut off", self.marked()),
            (
                "contacts at which a page may have arrived, in logs",
                count(|it| matches!(it, Event::PageOutcomeUnknown { .. })),
            ),
        ]
    }

    fn told(&self) -> Vec<(&'static str, usize)> {
        let planted = self.counts.planted.len();
        vec![
            ("requests outside", self.seen.requests),
            ("messages outside, by key", self.seen.posts.len()),
            (
                "  asked for again under the same key",
                self.seen.duplicates(),
            ),
            (
                "tries of deliveries cut off and brought again",
                whole(self.log.interrupted),
            ),
            (
                "effects of unknown outcome found at looks",
                self.counts.unknown.len(),
            ),
            (
                "effects of unknown outcome told and looked after",
                self.log.unknown.len(),
            ),
            (
                "deliveries that wait for a retry at the end",
                self.record.waiting.len(),
            ),
            ("dead letters", self.record.dead_letters.len()),
            ("faults planted in looks, each reported", planted),
        ]
    }
}

fn whole<T: TryInto<usize>>(count: T) -> usize {
    count.try_into().unwrap_or(usize::MAX)
}
