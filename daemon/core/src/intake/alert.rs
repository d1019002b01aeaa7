//! The state of an alert. Which incident it belongs to is stored here, in rows, and not in the
//! incident's stream, so that an alert storm does not grow the stream.

use serde::{Deserialize, Serialize};

use crate::grading::Watch;
use crate::incident::{Counted, Incident};
use crate::signal::Sender;
use crate::{
    Fingerprint, IncidentId, IncidentKey, IntegrationId, Labels, PolicySource, Route, Signal,
    Timestamp, Verdict, cut, limits,
};

pub use crate::incident::{Counts, Tally};
pub use crate::intake::waiting::Waiting;

/// The current state of an alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub integration: IntegrationId,
    /// Its identity within the integration.
    pub fingerprint: Fingerprint,
    pub firing: bool,
    /// One line for people.
    pub title: String,
    /// More for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Used by policies.
    pub labels: Labels,
    /// For people.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// A URL with more information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Since when it fires, according to the sender.
    pub starts_at: Timestamp,
    /// When it counts as resolved unless repeated; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// When this dead man's switch fires unless it is heard of again; only while it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fires_at: Option<Timestamp>,
    /// When the daemon first received it.
    pub first_seen: Timestamp,
    /// When the daemon last received it.
    pub last_seen: Timestamp,
    /// When it last started or stopped firing.
    pub changed_at: Timestamp,
    /// How often it was repeated while firing.
    #[serde(default)]
    pub repeats: u64,
    /// Where it belongs.
    pub place: Place,
    /// The silences that match it while it is in an incident or waits, by ID.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub silenced_by: Vec<String>,
    /// How its sender reports alerts.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub sender: Sender,
    /// Firing: a person who resolves its incident ends it too, as its sender may never mention it
    /// again. Not firing: that is how it ended, and its sender has not mentioned it since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ends_when_resolved: bool,
    /// How often its incident had been resolved by somebody when it was last received.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub after_resolves: u32,
    /// When it began to fire before it last stopped, the oldest first: at most
    /// [`STARTS_MAX`](limits::STARTS_MAX), of the last hour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier_starts: Vec<Timestamp>,
    /// The position of the store's feed at which silences were read to say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silences_at: Option<u64>,
    /// While it is in no incident: the one that has counted it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_in: Option<IncidentId>,
    /// Why it is in its place: what the routing policy said when it was last asked. `None` in rows
    /// of versions that did not keep it, and of alerts that leave no room for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routed_by: Option<Box<RoutedBy>>,
    /// The time of its newest entry in the history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted_at: Option<Timestamp>,
}

/// Why an alert was routed as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoutedBy {
    /// Empty if its place has the reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Without what the policy read, and with only the first line of why it failed.
    pub source: PolicySource,
}

impl RoutedBy {
    pub(crate) fn of(route: &Verdict<Route>, place: &Place) -> Box<Self> {
        let source = &route.source;
        let first_line = |it: &String| it.lines().next().unwrap_or_default().to_owned();
        let fallback = source.fallback.as_ref().map(first_line);
        Box::new(Self {
            reason: match place {
                Place::Ignored { .. } => String::new(),
                _ => route.reason.clone(),
            },
            source: PolicySource {
                file: source.file.clone(),
                line: source.line,
                hash: source.hash.clone(),
                fallback: fallback.map(|it| cut(it, limits::REASON_BYTES_MAX)),
                ..PolicySource::default()
            },
        })
    }
}

/// Where an alert belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "lowercase")]
pub enum Place {
    Incident {
        id: IncidentId,
    },
    /// In none, because the routing policy said so.
    Ignored {
        reason: String,
        /// The key under which it has waited in vain: while it fires, it does not wait there again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waited_under: Option<IncidentKey>,
        /// While this holds, the policy would say the same of the alert as it is. `None` in rows of
        /// versions that did not ask again until the alert was received.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        watch: Option<Box<Watch>>,
    },
    /// In none yet: it waits until enough alerts share its key.
    Waiting {
        key: IncidentKey,
        /// When its wait ends. `None` in rows of versions whose waits did not end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// As of an ignored one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        watch: Option<Box<Watch>>,
    },
    /// In none: it is a dead man's switch that has never fired.
    Expected {},
    /// In none, because somebody silenced it.
    Silenced {
        /// The silences that matched.
        by: Vec<String>,
    },
}

impl Alert {
    #[must_use]
    pub fn row_key(integration: &IntegrationId, fingerprint: &Fingerprint) -> String {
        format!("{integration}/{fingerprint}")
    }

    #[must_use]
    pub fn key(&self) -> String {
        Self::row_key(&self.integration, &self.fingerprint)
    }

    #[must_use]
    pub fn incident(&self) -> Option<&IncidentId> {
        match &self.place {
            Place::Incident { id } => Some(id),
            _ => None,
        }
    }

    /// The IDs of the silences that match it, as they were last read.
    #[must_use]
    pub fn silences(&self) -> &[String] {
        match &self.place {
            Place::Silenced { by } => by,
            _ => &self.silenced_by,
        }
    }

    /// The incident in which it fires and is silenced.
    #[must_use]
    pub(crate) fn silenced_in(&self) -> Option<&IncidentId> {
        let is_silenced = self.firing && !self.silenced_by.is_empty();
        self.incident().filter(|_| is_silenced)
    }

    /// The incident that has counted it last.
    #[must_use]
    pub fn counted_in(&self) -> Option<&IncidentId> {
        self.incident().or(self.counted_in.as_ref())
    }

    /// When its wait for others ends, or ought to have; `None` if it does not wait.
    #[must_use]
    pub fn waits_until(&self) -> Option<Timestamp> {
        match &self.place {
            Place::Waiting { until, .. } if self.firing => Some(until.unwrap_or(self.changed_at)),
            _ => None,
        }
    }

    /// What the routing policy's decision that it opens nothing now depends on; `None` if it was
    /// neither ignored nor waits.
    #[must_use]
    pub fn kept_out_while(&self) -> Option<Option<&Watch>> {
        match &self.place {
            Place::Ignored { watch, .. } | Place::Waiting { watch, .. } if self.firing => {
                Some(watch.as_deref())
            }
            _ => None,
        }
    }

    /// When it must be routed again although its sender says nothing: its wait ends, or the clock
    /// changes what the policy read when it was ignored or began to wait.
    #[must_use]
    pub fn routed_again_at(&self) -> Option<Timestamp> {
        let flips_at = self.kept_out_while().flatten().and_then(|it| it.flips_at);
        [self.waits_until(), flips_at].into_iter().flatten().min()
    }

    /// The key under which it waits for others.
    #[must_use]
    pub fn waits_under(&self) -> Option<&IncidentKey> {
        match &self.place {
            Place::Waiting { key, .. } if self.firing => Some(key),
            _ => None,
        }
    }

    /// Whether it waits for others although this incident of its key is open, so that it may join.
    #[must_use]
    pub fn waits_in_vain_for(&self, incident: &Incident) -> bool {
        self.waits_under().is_some() && incident.is_active()
    }

    /// When it began to fire, the newest first, within the last hour.
    pub fn starts(&self) -> impl Iterator<Item = Timestamp> {
        let current = self.firing.then_some(self.changed_at);
        let earlier = self.earlier_starts.iter().rev().copied();
        current.into_iter().chain(earlier)
    }

    /// The starts to keep when it stops or starts again.
    fn starts_until(&self, now: Timestamp) -> Vec<Timestamp> {
        let oldest = now.minus_ms(limits::STARTS_KEPT_MS);
        let recent = self.starts().filter(|at| *at >= oldest);
        let mut kept: Vec<_> = recent.take(limits::STARTS_MAX).collect();
        kept.reverse();
        kept
    }

    /// Whether its sender's resolve changes it: it fires, ended in another way, or may still fire.
    pub(crate) fn may_end(&self) -> bool {
        self.firing || self.ends_when_resolved || self.fires_at.is_some()
    }

    pub(crate) fn counted(&self) -> Counted<'_> {
        Counted {
            title: &self.title,
            ends_when_resolved: self.ends_when_resolved,
        }
    }

    /// A new alert from a firing signal.
    #[must_use]
    pub fn begin(signal: &Signal, place: Place, now: Timestamp) -> Self {
        Self {
            integration: signal.integration.clone(),
            fingerprint: signal.fingerprint.clone(),
            firing: true,
            title: signal.title.clone(),
            summary: signal.summary.clone(),
            labels: signal.labels.clone(),
            annotations: signal.annotations.clone(),
            link: signal.link.clone(),
            starts_at: signal.starts_at,
            lease_until: signal.ends_at,
            fires_at: None,
            first_seen: now,
            last_seen: now,
            changed_at: now,
            repeats: 0,
            place,
            silenced_by: Vec::new(),
            sender: signal.sender,
            ends_when_resolved: signal.sender.ends_when_resolved(),
            after_resolves: 0,
            earlier_starts: Vec::new(),
            silences_at: None,
            counted_in: None,
            routed_by: None,
            noted_at: None,
        }
    }

    /// An alert that fires again, with its history.
    #[must_use]
    pub fn again(&self, signal: &Signal, place: Place, now: Timestamp) -> Self {
        Self {
            first_seen: self.first_seen,
            repeats: self.repeats,
            earlier_starts: self.starts_until(now),
            noted_at: self.noted_at,
            ..Self::begin(signal, place, now)
        }
    }

    /// The alert after its sender repeated it, with what the repeat says. A sender may give each
    /// repeat a later start, as PagerDuty's do, so the earliest is kept.
    #[must_use]
    pub fn repeated(mut self, signal: &Signal, now: Timestamp) -> Self {
        self.title.clone_from(&signal.title);
        self.summary.clone_from(&signal.summary);
        self.labels.clone_from(&signal.labels);
        self.annotations.clone_from(&signal.annotations);
        self.link.clone_from(&signal.link);
        self.starts_at = self.starts_at.min(signal.starts_at);
        self.sender = signal.sender;
        self.ends_when_resolved = signal.sender.ends_when_resolved();
        self.lease_until = signal.ends_at;
        self.last_seen = now;
        self.repeats = self.repeats.saturating_add(1);
        self
    }

    /// Whether the alert, once repeated by the signal, looks different to policies.
    #[must_use]
    pub fn differs_from(&self, signal: &Signal) -> bool {
        self.labels != signal.labels
            || self.annotations != signal.annotations
            || self.title != signal.title
            || self.summary != signal.summary
            || self.link != signal.link
            || self.starts_at > signal.starts_at
    }

    /// The dead man's switch after it was heard of.
    #[must_use]
    pub(crate) fn heard(known: Option<&Self>, signal: &Signal, now: Timestamp) -> Self {
        let place = known.map_or(Place::Expected {}, |it| it.place.clone());
        let alert = match known {
            Some(known) => Self {
                changed_at: known.changed_at,
                ..known.again(signal, place, now)
            },
            None => Self::begin(signal, place, now),
        };
        Self {
            firing: false,
            fires_at: signal.fires_at,
            ..alert
        }
    }

    /// The alert after it stopped firing.
    #[must_use]
    pub fn ended(mut self, now: Timestamp) -> Self {
        if self.firing {
            self.earlier_starts = self.starts_until(now);
            self.changed_at = now;
        }
        self.firing = false;
        self.last_seen = now;
        self.lease_until = None;
        self.silenced_by.clear();
        self.fires_at = None;
        self.ends_when_resolved = false;
        self
    }

    /// Whether a person who resolved its incident has ended it, which its row does not say yet.
    #[must_use]
    pub fn is_ended_by(&self, incident: &Incident) -> bool {
        self.firing
            && self.ends_when_resolved
            && self.incident() == Some(&incident.id)
            && self.after_resolves < incident.lifecycle.resolves
    }

    /// The alert as a repeated signal, which the sweep uses to re-evaluate an alert whose silence
    /// or wait has ended.
    #[must_use]
    pub fn as_signal(&self) -> Signal {
        Signal {
            integration: self.integration.clone(),
            fingerprint: self.fingerprint.clone(),
            status: crate::SignalStatus::Firing,
            title: self.title.clone(),
            summary: self.summary.clone(),
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
            starts_at: self.starts_at,
            ends_at: self.lease_until,
            link: self.link.clone(),
            sender: self.sender,
            fires_at: None,
        }
    }
}

/// The incident of a key, while it is open or may reopen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    pub incident: IncidentId,
}
