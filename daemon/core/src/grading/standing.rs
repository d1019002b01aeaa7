//! The verdicts that stand for an incident: what policies said of its alerts, and what has to
//! change before they are asked again. They are in the row of the tally and not in the stream: an
//! event is written only when a verdict changes something.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::grading::grade::{Grade, Grading};
use crate::lifecycle::Status;
use crate::text::escaped_bytes;
use crate::{Timestamp, limits};

/// The verdicts that stand for an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// What the grading policy said of its alerts, once for each kind: at most
    /// [`ALERT_GROUPS_MAX`](limits::ALERT_GROUPS_MAX), and
    /// [`ALERT_GROUPS_BYTES_MAX`](limits::ALERT_GROUPS_BYTES_MAX). The policies are asked about
    /// every alert of a kind that is not kept.
    pub groups: Vec<AlertGroup>,
    /// Whether a kind of alerts was ever left out, as there were too many.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
    /// While this holds, the policies would say the same.
    pub watch: Watch,
    /// When they were last asked about the incident itself, and not about an alert that enters it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Timestamp>,
    /// When they must be asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_due: Option<Timestamp>,
}

/// The alerts of an incident of which the grading policy read the same. Its JSON has short names,
/// as a row keeps many; rows of earlier versions have the long ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertGroup {
    /// A digest of what the policy read of the alert.
    #[serde(rename = "s", alias = "shape")]
    pub shape: String,
    /// The row key of an alert of this group; empty for an incident that a person opened.
    #[serde(rename = "a", alias = "alert")]
    pub alert: String,
    #[serde(rename = "g", alias = "grading")]
    pub grading: Grading,
    /// Whether that alert was over when the group was last looked at: what was said stands, and
    /// the next alert of the group is asked about.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
}

/// Most bytes of a group as JSON besides its names and flags.
const GROUP_BYTES: usize = r#"{"s":"","a":"","g":{"grade":"critical"}},"#.len();
/// Most bytes of a flag of a group as JSON.
const FLAG_BYTES: usize = r#","security":true"#.len();

/// What verdicts were decided from, apart from the alerts themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The policies in force, and the rotations that they may page.
    pub policies: String,
    /// For these numbers of firing alerts.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub firing: Bounds,
    /// For these numbers of alerts that ever joined.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub total: Bounds,
    /// The incident's own fields, as they were seen.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub seen: BTreeSet<Seen>,
    /// When the clock alone changes something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flips_at: Option<Timestamp>,
    /// Whether they depend on who is on call or busy, on changes or on other alerts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub surroundings: bool,
}

/// From a number on, and below another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    pub from: u64,
    pub below: u64,
}

/// A field of an incident, as a policy saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen {
    Grade(Option<Grade>),
    Security(bool),
    Status(Status),
    Acknowledged(bool),
}

/// What policies see of an incident that changes while it is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changing {
    pub firing: u64,
    pub total: u64,
    pub grade: Grade,
    pub security: bool,
    pub status: Status,
    pub acknowledged: bool,
}

impl Standing {
    /// The highest verdict; `None` before the first.
    #[must_use]
    pub fn highest(&self) -> Option<Grading> {
        let all = self.groups.iter().map(|it| it.grading);
        all.reduce(Grading::highest)
    }

    /// Whether this verdict on an alert is known: it is that of its group.
    #[must_use]
    pub fn includes(&self, shape: &str, grading: Grading) -> bool {
        let group = self.groups.iter().find(|it| it.shape == shape);
        group.is_some_and(|it| it.grading == grading && !it.is_over)
    }

    /// Has the policies asked again as soon as possible, as after other policies are in force.
    pub(crate) fn ask_again(&mut self) {
        self.watch.policies.clear();
    }

    /// Whether the last review is as long ago as the next one must be. A clock that was set back
    /// puts it off no further.
    #[must_use]
    pub(crate) fn may_be_reviewed(&self, now: Timestamp) -> bool {
        let is_free = |at: Timestamp| at > now || at.plus_ms(limits::REVIEW_EVERY_MS) <= now;
        self.reviewed_at.is_none_or(is_free)
    }

    /// Adds or replaces a group. `is_only`: the incident has had no other alert, so groups of what
    /// this one was before are gone.
    pub(crate) fn enter(&mut self, group: AlertGroup, is_only: bool) {
        let is_gone = |it: &AlertGroup| is_only && it.alert == group.alert;
        self.groups
            .retain(|it| it.shape != group.shape && !is_gone(it));
        self.add(group);
    }

    /// Adds a group unless its shape is known or there are too many.
    pub fn add(&mut self, group: AlertGroup) {
        if self.groups.iter().any(|it| it.shape == group.shape) {
            return;
        }
        let bytes: usize = self.groups.iter().map(AlertGroup::json_bytes).sum();
        let fits = bytes + group.json_bytes() <= limits::ALERT_GROUPS_BYTES_MAX;
        match fits && self.groups.len() < limits::ALERT_GROUPS_MAX {
            true => self.groups.push(group),
            false => self.is_cut = true,
        }
    }

    /// Sets when the policies must be asked again: at once if something that they read has changed,
    /// otherwise when the clock changes something; at most once in
    /// [`REVIEW_EVERY_MS`](limits::REVIEW_EVERY_MS).
    pub(crate) fn schedule(&mut self, incident: Changing, now: Timestamp) {
        let every = limits::REVIEW_EVERY_MS;
        // A later time is of a clock that was set back since.
        let earliest = self.reviewed_at.map(|at| at.min(now).plus_ms(every));
        let no_earlier = |at: Timestamp| earliest.map_or(at, |earliest| earliest.max(at));
        self.review_due = match self.watch.holds(incident) {
            true => self.watch.flips_at.map(no_earlier),
            false => {
                let soon = no_earlier(now);
                Some(self.review_due.map_or(soon, |due| due.min(soon)))
            }
        };
    }
}

impl AlertGroup {
    /// At most as many bytes it takes in a list of JSON.
    fn json_bytes(&self) -> usize {
        let flags = [self.grading.security, self.grading.unsure, self.is_over];
        let flags = flags.into_iter().filter(|it| *it).count();
        let names = escaped_bytes(&self.shape) + escaped_bytes(&self.alert);
        names + GROUP_BYTES + flags * FLAG_BYTES
    }
}

impl Watch {
    /// Whether nothing that the verdicts were decided from is different in this incident.
    #[must_use]
    pub fn holds(&self, incident: Changing) -> bool {
        self.firing.contains(incident.firing)
            && self.total.contains(incident.total)
            && self.seen.iter().all(|it| it.is_in(incident))
    }

    /// What both depend on. Verdicts of different policies are of none in force.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.seen.extend(other.seen);
        let flips = [self.flips_at, other.flips_at];
        let is_same = self.policies == other.policies;
        Self {
            policies: if is_same {
                other.policies
            } else {
                String::new()
            },
            firing: self.firing.and(other.firing),
            total: self.total.and(other.total),
            seen: self.seen,
            flips_at: flips.into_iter().flatten().min(),
            surroundings: self.surroundings || other.surroundings,
        }
    }
}

impl Bounds {
    #[must_use]
    pub fn contains(self, number: u64) -> bool {
        Range::from(self).contains(&number)
    }

    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            from: self.from.max(other.from),
            below: self.below.min(other.below),
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            from: 0,
            below: u64::MAX,
        }
    }
}

impl From<Bounds> for Range<u64> {
    fn from(bounds: Bounds) -> Self {
        bounds.from..bounds.below
    }
}

impl Seen {
    fn is_in(self, incident: Changing) -> bool {
        match self {
            Self::Grade(grade) => grade == Some(incident.grade),
            Self::Security(flag) => flag == incident.security,
            Self::Status(status) => status == incident.status,
            Self::Acknowledged(flag) => flag == incident.acknowledged,
        }
    }
}
