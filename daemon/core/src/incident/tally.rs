//! The exact alert counts of an incident. They are copied into its event stream at a bounded rate,
//! so that an alert storm increments counters rather than growing the stream.

use serde::{Deserialize, Serialize};

use crate::grading::Standing;
use crate::text::cut_as_json;
use crate::time::MINUTE_MS;
use crate::{SilenceRef, Timestamp, limits};

/// The exact alert counts of an incident, stored in a row of their own and updated with every
/// alert.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub counts: Counts,
    /// How often an alert began or stopped to fire in it, or came to say something else, by which a
    /// review finds out that it does not know of it.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub changes: u64,
    /// The counts last written to the stream.
    pub logged: Counts,
    /// When they were written.
    pub logged_at: Timestamp,
    /// How many tallies were written to the stream.
    pub logged_times: u32,
    /// When the next tally is due, if the counts differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_due: Option<Timestamp>,
    /// When the incident resolves automatically, while nothing fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear_due: Option<Timestamp>,
    /// When the incident reopens although a person resolved it, unless its alerts end before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopen_due: Option<Timestamp>,
    /// Whether a person reopened it, and nothing has fired since: they see what no alert says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reopened: bool,
    /// How many of the firing alerts end when a person resolves the incident.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub ending: u64,
    /// Titles of alerts that joined since the last tally, at most
    /// [`TALLY_SAMPLE_MAX`](limits::TALLY_SAMPLE_MAX), each truncated to
    /// [`SAMPLE_BYTES_MAX`](limits::SAMPLE_BYTES_MAX).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<String>,
    /// The verdicts that stand; rows of earlier versions have none, and neither has an incident
    /// that left memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// How many of the firing alerts are silenced.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub silenced: u64,
    /// Some of the silences that match them, at most
    /// [`SILENCES_NAMED_MAX`](limits::SILENCES_NAMED_MAX).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silences: Vec<SilenceRef>,
}

/// Numbers of alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Distinct alerts that ever joined.
    pub total: u64,
    /// Those that fire now.
    pub firing: u64,
}

impl Counts {
    /// The counts with one more firing alert.
    #[must_use]
    pub fn with_one_more(self) -> Self {
        Self {
            total: self.total.saturating_add(1),
            firing: self.firing.saturating_add(1),
        }
    }
}

/// An alert as a tally counts it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted<'a> {
    pub(crate) title: &'a str,
    /// Whether it ends when a person resolves the incident.
    pub(crate) ends_when_resolved: bool,
}

impl Tally {
    /// Counts an alert that starts to fire. `first`: it was never in this incident before.
    pub(crate) fn begin(&mut self, alert: Counted<'_>, first: bool, now: Timestamp) {
        let title = alert.title;
        self.changes += 1;
        self.counts.firing += 1;
        self.counts.total += u64::from(first);
        self.ending += u64::from(alert.ends_when_resolved);
        self.clear_due = None;
        self.reopen_due = None;
        self.reopened = false;
        if first && self.sample.len() < limits::TALLY_SAMPLE_MAX {
            let title = cut_as_json(title, limits::SAMPLE_BYTES_MAX);
            self.sample.push(title);
        }
        self.want_log(now);
    }

    /// Counts an alert that stops firing. If none is left, the incident resolves automatically
    /// `resolve_after_ms` later.
    pub(crate) fn end(&mut self, alert: Counted<'_>, resolve_after_ms: u64, now: Timestamp) {
        self.changes += 1;
        self.counts.firing = self.counts.firing.saturating_sub(1);
        self.recount(alert.ends_when_resolved, false);
        if self.counts.firing == 0 {
            self.clear_due = Some(now.plus_ms(resolve_after_ms));
        }
        self.reopen_due = self.reopen_due.filter(|_| self.fires_on());
        self.want_log(now);
    }

    /// Whether alerts fire, and all of them are silenced.
    #[must_use]
    pub fn is_silenced(&self) -> bool {
        self.counts.firing > 0 && !self.is_heard()
    }

    /// Whether an alert fires that is not silenced.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.counts.firing > self.silenced
    }

    /// Whether somebody must do something: an alert is heard, or there are none, as a person opened
    /// the incident or opened it again.
    #[must_use]
    pub fn wants_response(&self) -> bool {
        self.is_heard() || self.counts.total == 0 || self.reopened
    }

    /// Counts a firing alert that is silenced.
    pub(crate) fn begin_silence(&mut self, by: &[SilenceRef]) {
        self.silenced += 1;
        for silence in by {
            let is_named = self.silences.iter().any(|it| it.id == silence.id);
            if !is_named && self.silences.len() < limits::SILENCES_NAMED_MAX {
                self.silences.push(silence.clone());
            }
        }
    }

    /// Counts a silenced alert that no longer fires in the incident, or is no longer silenced.
    /// `gone`: the IDs of silences that no longer match it.
    pub(crate) fn end_silence(&mut self, gone: &[&String]) {
        self.silenced = self.silenced.saturating_sub(1);
        let is_over = self.silenced == 0;
        self.silences
            .retain(|it| !is_over && !gone.contains(&&it.id));
    }

    /// Counts that a firing alert now ends when a person resolves the incident, or no longer does.
    pub(crate) fn recount(&mut self, did_end: bool, ends: bool) {
        self.ending = self.ending.saturating_sub(u64::from(did_end)) + u64::from(ends);
    }

    /// Whether an alert fires although a person resolves the incident.
    pub(crate) fn fires_on(&self) -> bool {
        self.counts.firing > self.ending
    }

    /// Whether a tally should be written to the stream at `now`.
    #[must_use]
    pub fn is_log_due(&self, now: Timestamp) -> bool {
        self.log_due.is_some_and(|due| due <= now)
    }

    /// Records that the counts were written to the stream.
    pub fn mark_logged(&mut self, now: Timestamp) {
        self.logged = self.counts;
        self.logged_at = now;
        self.logged_times = self.logged_times.saturating_add(1);
        self.log_due = None;
        self.sample.clear();
    }

    /// Records that the incident is resolved: the event contains the counts, and nothing is due any
    /// more, except that it reopens at `reopen_at` if an alert fires on.
    pub(crate) fn mark_resolved(&mut self, reopen_at: Timestamp) {
        self.logged = self.counts;
        self.log_due = None;
        self.clear_due = None;
        self.reopened = false;
        self.reopen_due = self.fires_on().then_some(reopen_at);
        self.sample.clear();
    }

    /// Records that the incident is merged into another, to which its alerts move.
    pub(crate) fn mark_merged(&mut self) {
        self.logged = self.counts;
        (self.log_due, self.clear_due, self.reopen_due) = (None, None, None);
        self.sample.clear();
    }

    /// When the policies must be asked again about the incident.
    #[must_use]
    pub fn review_due(&self) -> Option<Timestamp> {
        self.standing.as_ref()?.review_due
    }

    fn want_log(&mut self, now: Timestamp) {
        if self.counts == self.logged {
            self.log_due = None;
        } else if self.log_due.is_none() {
            self.log_due = Some(self.logged_at.plus_ms(self.interval_ms()).max(now));
        }
    }

    /// A long storm writes less often: every half minute at first, every ten minutes after twenty
    /// tallies.
    fn interval_ms(&self) -> u64 {
        if self.logged_times < limits::TALLIES_FAST_MAX {
            limits::TALLY_EVERY_MS
        } else {
            10 * MINUTE_MS
        }
    }
}
