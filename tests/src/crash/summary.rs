//! The results of a run, as one table.

use std::fmt;
use std::time::Duration;

use tocsin_core::Event;

use super::child::Log;
use super::ledger::{Act, Ledger};
use super::outside::Seen;
use super::plant::FAULTS;
use super::record::Record;
use super::run::Counts;

/// From this many kills on, every tested situation must have occurred.
const KILLS_OF_A_NIGHT: u32 = 200;

/// The results of a run.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    rows: Vec<(&'static str, String)>,
    /// Empty after a good run.
    pub faults: Vec<String>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in &self.rows {
            writeln!(f, "{what:<52} {count:>9}")?;
        }
        let mut faults = self.faults.iter();
        faults.try_for_each(|it| writeln!(f, "FAULT {it}"))
    }
}

/// The data that is counted.
pub(super) struct Sums<'a> {
    pub(super) counts: &'a Counts,
    pub(super) ledger: &'a Ledger,
    pub(super) log: &'a Log,
    pub(super) seen: &'a Seen,
    pub(super) record: &'a Record,
    pub(super) took: Duration,
}

impl Sums<'_> {
    /// The table and the faults.
    pub(super) fn summary(&self, mut faults: Vec<String>) -> Summary {
        // A run with faults was aborted, and its record is empty.
        if faults.is_empty() && self.counts.kills >= KILLS_OF_A_NIGHT {
            faults = self.untested();
        }
        let begin = |with: &str| faults.iter().filter(|it| it.starts_with(with)).count();
        let verdict = [
            ("accepted but missing", begin("missing")),
            ("timers and deliveries lost", begin("lost")),
            ("timers and steps passed over", begin("passed over")),
            ("effects of unknown outcome left alone", begin("left alone")),
            ("all faults", faults.len()),
        ];
        let counted = self.load().into_iter().chain(self.results());
        let all = counted.chain(self.external()).chain(verdict);
        let mut rows: Vec<_> = all.map(|(what, count)| (what, count.to_string())).collect();
        rows.push(("seconds", format!("{:.1}", self.took.as_secs_f64())));
        Summary { rows, faults }
    }

    /// Situations that should have occurred but did not, so that a rule was not tested.
    fn untested(&self) -> Vec<String> {
        let Self { counts, ledger, .. } = self;
        let acts = |act| ledger.acts.iter().filter(move |it| it.0.1 == act);
        let answered = |act| acts(act).filter(|it| it.1.answered).count();
        let found = [
            ("accepted alerts", ledger.alerts_answered(), 1),
            ("accepted acknowledgements", answered(Act::Ack), 1),
            ("accepted resolves", answered(Act::Resolve), 1),
            ("accepted overrides", ledger.overrides_answered(), 1),
            ("inspections", whole(counts.looks), 1),
            ("kills during a start", whole(counts.at_start), 1),
            ("timers at an inspection", counts.most_timers, 1),
            ("deliveries at an inspection", counts.most_waiting, 1),
            ("pages marked as tried before", self.marked(), 1),
            ("effects of unknown outcome", counts.unknown.len(), 1),
            ("effects followed up", self.log.unknown.len(), 1),
            ("packed incidents at an inspection", counts.packed, 1),
            ("faults planted", counts.planted.len(), FAULTS.len()),
        ];
        let short = found.into_iter().filter(|(_, count, least)| count < least);
        let short = short.map(|(what, count, least)| {
            format!("untested: {count} {what}, expected at least {least}")
        });
        short.collect()
    }

    fn count(&self, is_it: fn(&Event) -> bool) -> usize {
        let all = self.record.incidents.values().flat_map(|it| &it.events);
        all.filter(|it| is_it(&it.event)).count()
    }

    fn marked(&self) -> usize {
        self.count(|it| matches!(it, Event::PageAccepted { interrupted, .. } if *interrupted))
    }

    fn load(&self) -> Vec<(&'static str, usize)> {
        let Self { counts, ledger, .. } = self;
        let mut starts: Vec<u128> = counts.starts.iter().map(Duration::as_millis).collect();
        starts.sort_unstable();
        let usual = starts.get(starts.len() / 2).copied().unwrap_or_default();
        let acts = ledger.acts.values().filter(|it| it.answered);
        let lines = ledger.lines.values().filter(|it| it.1.answered);
        let opened = ledger.opened.values().filter(|it| it.answered);
        vec![
            ("kills", whole(counts.kills)),
            ("  during a start", whole(counts.at_start)),
            ("milliseconds of a start, median", whole(usual)),
            ("inspections of the store after a kill", whole(counts.looks)),
            ("requests with a success response", whole(ledger.answers)),
            (
                "requests without a response, retried",
                whole(ledger.unanswered),
            ),
            ("  alerts accepted", ledger.alerts_answered()),
            ("  acknowledgements and resolves accepted", acts.count()),
            ("  log lines accepted", lines.count()),
            ("  incidents opened by hand", opened.count()),
            ("  overrides accepted", ledger.overrides_answered()),
        ]
    }

    fn results(&self) -> Vec<(&'static str, usize)> {
        let count = |is_it| self.count(is_it);
        vec![
            ("incidents", self.record.incidents.len()),
            ("  packed at the last inspection", self.counts.packed),
            ("  packed at the end", self.record.packed),
            (
                "escalation steps, all but the first by timers",
                count(|it| matches!(it, Event::Escalated { .. })),
            ),
            ("most timers set at an inspection", self.counts.most_timers),
            (
                "most deliveries waiting at an inspection",
                self.counts.most_waiting,
            ),
            (
                "pages accepted",
                count(|it| matches!(it, Event::PageAccepted { .. })),
            ),
            ("  in a message with others", self.seen.bundled),
            (
                "rungs climbed and contacts tried next",
                count(|it| matches!(it, Event::PageRedirected { .. })),
            ),
            (
                "  marked: an earlier attempt was interrupted",
                self.marked(),
            ),
            (
                "contacts at which a page may have arrived, in logs",
                count(|it| matches!(it, Event::PageOutcomeUnknown { .. })),
            ),
        ]
    }

    fn external(&self) -> Vec<(&'static str, usize)> {
        let planted = self.counts.planted.len();
        vec![
            ("requests to Slack", self.seen.requests),
            ("messages in Slack, by key", self.seen.posts.len()),
            ("  retried with the same key", self.seen.duplicates()),
            (
                "interrupted deliveries that were retried",
                whole(self.log.interrupted),
            ),
            (
                "effects of unknown outcome found at inspections",
                self.counts.unknown.len(),
            ),
            (
                "effects of unknown outcome reported and followed up",
                self.log.unknown.len(),
            ),
            (
                "deliveries that wait for a retry at the end",
                self.record.waiting.len(),
            ),
            ("dead letters", self.record.dead_letters.len()),
            ("planted faults, each reported", planted),
        ]
    }
}

fn whole<T: TryInto<usize>>(count: T) -> usize {
    count.try_into().unwrap_or(usize::MAX)
}
