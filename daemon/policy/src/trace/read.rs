//! What a policy can read, one case each: a script's getters and the decision tree both ask
//! here, so that what was recorded is what is looked up again.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use tocsin_core::{Labels, Timestamp};

use super::alerts;
use super::candidates::CandidateField;
use super::fields::{AlertField, ClockField, IncidentField};
use crate::calendar::{Moment, Window};
use crate::candidate::Candidates;
use crate::view::{AlertView, ChangeFacts, Context, IncidentView};

/// Something that a policy can read.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    Alert(AlertField),
    Incident(IncidentField),
    /// A label's value; empty when it is absent.
    Label(LabelsOf, String),
    HasLabel(LabelsOf, String),
    LabelNames(LabelsOf),
    /// The exact value of a quantity.
    Exactly(Quantity),
    /// Whether a quantity is at least this. `<`, `<=` and `>` are this read with another number or
    /// the opposite answer.
    AtLeast(Quantity, i64),
    /// Whether a quantity equals this.
    Equals(Quantity, i64),
    Now(ClockField),
    /// Whether the configuration has any rotation.
    HasRotations,
    HasRotation(String),
    OnCall(String),
    /// Whether an incident with this key is open.
    IsOpen(String),
    /// The changes of a service, or of all, that are at most this old, in milliseconds.
    Changes(Option<String>, u64),
    /// When this time of the week is next after the incident became active; in a time zone, by
    /// default the policies'.
    Next(String, Option<String>),
    /// When that time of the week is again, now or after the first time has passed.
    Again(String, Option<String>),
    /// Whether it is now within these hours of the week, in a time zone.
    Within(String, Option<String>),
    /// How many candidates there are.
    Candidates,
    /// A field of one of them, by its place in the list.
    Candidate(usize, CandidateField),
    /// Whether somebody is one of them.
    IsCandidate(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelsOf {
    Alert,
    /// The alert's annotations.
    Annotations,
    Incident,
}

/// A number that is compared more often than it is used: the answer to a comparison stays true
/// while the number changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    AlertsTotal,
    AlertsFiring,
    /// How many labels there are.
    Labels(LabelsOf),
    /// How many incidents a person carries.
    Load(String),
    /// How many alerts with these labels fire.
    Firing(Labels),
    /// How many alerts with these labels began to fire within so many milliseconds.
    Began(Labels, u64),
    /// How many values of a label they have.
    Distinct(String, Labels, u64),
    /// How often the alert began to fire within so many milliseconds.
    Flaps(u64),
    /// An age in whole units of so many milliseconds.
    Age(AgeOf, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgeOf {
    Alert,
    Incident,
    /// Since an instant, such as that of a change.
    Since(Timestamp),
}

/// What a read found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    Flag(bool),
    Whole(i64),
    Text(String),
    Texts(Vec<String>),
}

/// What a policy is asked about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    pub alert: Option<&'a AlertView>,
    pub incident: Option<&'a IncidentView>,
    pub context: Option<&'a Context>,
    pub candidates: Option<&'a Candidates>,
}

impl<'a> Facts<'a> {
    /// The facts of a call of `grade`, or without an alert of `escalate`.
    #[must_use]
    pub fn of(
        incident: Option<&'a IncidentView>,
        alert: Option<&'a AlertView>,
        context: &'a Context,
    ) -> Self {
        Self {
            alert,
            incident,
            context: Some(context),
            candidates: None,
        }
    }
}

impl AlertView {
    pub(crate) fn as_facts(&self) -> Facts<'_> {
        Facts {
            alert: Some(self),
            ..Facts::default()
        }
    }
}

impl IncidentView {
    pub(crate) fn as_facts(&self) -> Facts<'_> {
        Facts {
            incident: Some(self),
            ..Facts::default()
        }
    }
}

impl Context {
    pub(crate) fn as_facts(&self) -> Facts<'_> {
        Facts {
            alert: self.own(),
            context: Some(self),
            ..Facts::default()
        }
    }
}

impl Read {
    /// What this read finds; `None` when the facts lack what it is about.
    #[must_use]
    pub fn answer(&self, facts: Facts<'_>) -> Option<Answer> {
        Some(match self {
            Self::Alert(field) => field.answer(facts.alert?),
            Self::Incident(field) => field.answer(facts.incident?),
            Self::Label(of, name) => {
                let value = of.labels(facts)?.get(name);
                Answer::Text(value.cloned().unwrap_or_default())
            }
            Self::HasLabel(of, name) => Answer::Flag(of.labels(facts)?.contains_key(name)),
            Self::LabelNames(of) => Answer::Texts(of.labels(facts)?.keys().cloned().collect()),
            Self::Exactly(quantity) => Answer::Whole(quantity.value(facts)?),
            Self::AtLeast(quantity, than) => Answer::Flag(quantity.value(facts)? >= *than),
            Self::Equals(quantity, than) => Answer::Flag(quantity.value(facts)? == *than),
            Self::Now(field) => field.answer(facts.context?),
            Self::HasRotations => Answer::Flag(!facts.context?.0.on_call.is_empty()),
            Self::HasRotation(name) => Answer::Flag(facts.context?.0.on_call.contains_key(name)),
            Self::OnCall(name) => {
                let people = facts
                    .context?
                    .0
                    .on_call
                    .get(name)
                    .map_or(&[][..], Vec::as_slice);
                Answer::Texts(people.iter().map(ToString::to_string).collect())
            }
            Self::IsOpen(key) => {
                let index = facts.context?.alerts();
                Answer::Flag(index.is_some_and(|it| it.is_open(&key.as_str().into())))
            }
            Self::Changes(service, within_ms) => {
                let found = changes(facts.context?, service.as_deref(), *within_ms);
                Answer::Texts(found.map(described).collect())
            }
            Self::Next(time, zone) => {
                let moment: Moment = time.parse().ok()?;
                let zone = time_zone(zone.as_deref(), facts)?;
                let since = facts.incident?.0.active_since;
                match moment.next(zone, since)? {
                    // The same answer for every incident that need not wait.
                    next if next == since => Answer::Text("at once".to_owned()),
                    next => Answer::Whole(next.0),
                }
            }
            Self::Again(time, zone) => match again(time, zone.as_deref(), facts)? {
                next if next == facts.context?.0.now.utc => Answer::Text("at once".to_owned()),
                next => Answer::Whole(next.0),
            },
            Self::Within(hours, zone) => {
                let window: Window = hours.parse().ok()?;
                let zone = time_zone(zone.as_deref(), facts)?;
                Answer::Flag(window.covers(zone, facts.context?.0.now.utc))
            }
            Self::Candidates => {
                let count = facts.candidates?.0.len();
                Answer::Whole(i64::try_from(count).unwrap_or(i64::MAX))
            }
            Self::Candidate(at, field) => field.answer(facts.candidates?.0.get(*at)?),
            Self::IsCandidate(id) => {
                let mut all = facts.candidates?.0.iter();
                Answer::Flag(all.any(|it| it.id.as_str() == id))
            }
        })
    }

    /// When the clock alone next changes the answer, at the earliest and after now; `None` when it
    /// never does.
    #[must_use]
    pub fn flips_at(&self, facts: Facts<'_>) -> Option<Timestamp> {
        let now = &facts.context?.0.now;
        match self {
            Self::Now(field) => field.flips_at(facts.context?),
            Self::Changes(service, within_ms) => {
                let found = changes(facts.context?, service.as_deref(), *within_ms);
                let leaves = |it: &ChangeFacts| it.at.plus_ms(within_ms.saturating_add(1));
                found.map(leaves).min()
            }
            Self::Again(time, zone) => match again(time, zone.as_deref(), facts)? {
                next if next > now.utc => Some(next),
                _ => match time.parse().ok()? {
                    Moment::Within(window) => {
                        window.flips_at(time_zone(zone.as_deref(), facts)?, now.utc)
                    }
                    Moment::At(..) => None,
                },
            },
            Self::Within(hours, zone) => {
                let window: Window = hours.parse().ok()?;
                window.flips_at(time_zone(zone.as_deref(), facts)?, now.utc)
            }
            Self::Exactly(it) if it.has_window() => it.leaving(facts)?.last().copied(),
            Self::AtLeast(it, than) if it.has_window() => {
                alerts::shrinks_below(&it.leaving(facts)?, *than)
            }
            Self::Equals(it, than) if it.has_window() => {
                let leaving = it.leaving(facts)?;
                let is_equal = usize::try_from(*than).ok()? == leaving.len();
                let than = if is_equal {
                    *than
                } else {
                    than.checked_add(1)?
                };
                alerts::shrinks_below(&leaving, than)
            }
            Self::Exactly(Quantity::Age(of, unit_ms)) => {
                let units = now.utc.since(of.start(facts)?) / (*unit_ms).max(1);
                let next = units.saturating_add(1).saturating_mul(*unit_ms);
                Some(of.start(facts)?.plus_ms(next))
            }
            Self::AtLeast(Quantity::Age(of, unit_ms), than) => {
                let after = unit_ms.saturating_mul(u64::try_from(*than).ok()?);
                Some(of.start(facts)?.plus_ms(after)).filter(|at| *at > now.utc)
            }
            Self::Equals(Quantity::Age(of, unit_ms), than) => {
                let than = u64::try_from(*than).ok()?;
                let start = of.start(facts)?;
                let edges = [than, than.saturating_add(1)];
                let edges = edges.map(|it| start.plus_ms(unit_ms.saturating_mul(it)));
                edges.into_iter().find(|at| *at > now.utc)
            }
            _ => None,
        }
    }
}

impl LabelsOf {
    fn labels(self, facts: Facts<'_>) -> Option<&Labels> {
        Some(match self {
            Self::Alert => &facts.alert?.0.labels,
            Self::Annotations => &facts.alert?.0.annotations,
            Self::Incident => &facts.incident?.0.labels,
        })
    }
}

impl Quantity {
    pub(crate) fn value(&self, facts: Facts<'_>) -> Option<i64> {
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Some(match self {
            Self::AlertsTotal => whole(facts.incident?.0.alerts_total),
            Self::AlertsFiring => whole(facts.incident?.0.alerts_firing),
            Self::Labels(of) => whole(of.labels(facts)?.len() as u64),
            Self::Load(person) => {
                let load = &facts.context?.0.load;
                load.get(person.as_str()).map_or(0, |it| i64::from(*it))
            }
            Self::Firing(labels) => whole(alerts::firing(facts, labels)?),
            Self::Began(..) | Self::Distinct(..) | Self::Flaps(_) => {
                whole(self.starts(facts)?.len() as u64)
            }
            Self::Age(of, unit_ms) => {
                let age = facts.context?.0.now.utc.since(of.start(facts)?);
                whole(age / (*unit_ms).max(1))
            }
        })
    }
}

impl Quantity {
    /// The starts that it counts, the newest first.
    fn starts(&self, facts: Facts<'_>) -> Option<Vec<Timestamp>> {
        match self {
            Self::Began(labels, within_ms) => alerts::began(facts, labels, *within_ms),
            Self::Distinct(of, labels, ms) => alerts::began_by(facts, of, labels, *ms),
            Self::Flaps(within_ms) => alerts::flaps(facts, *within_ms),
            _ => None,
        }
    }

    /// Whether time alone makes it smaller.
    fn has_window(&self) -> bool {
        matches!(self, Self::Began(..) | Self::Distinct(..) | Self::Flaps(_))
    }

    /// When each of these leaves the window.
    fn leaving(&self, facts: Facts<'_>) -> Option<Vec<Timestamp>> {
        let (Self::Began(_, within_ms) | Self::Distinct(.., within_ms) | Self::Flaps(within_ms)) =
            self
        else {
            return None;
        };
        let starts = self.starts(facts)?.into_iter();
        let leaving = starts.map(|at| at.plus_ms(within_ms.saturating_add(1)));
        Some(leaving.collect())
    }
}

impl AgeOf {
    fn start(self, facts: Facts<'_>) -> Option<Timestamp> {
        Some(match self {
            Self::Alert => facts.alert?.0.starts_at,
            Self::Incident => facts.incident?.0.opened_at,
            Self::Since(at) => at,
        })
    }
}

/// The changes of a service, or of all, that are at most `within_ms` old, the newest first.
pub(crate) fn changes<'a>(
    context: &'a Context,
    service: Option<&'a str>,
    within_ms: u64,
) -> impl Iterator<Item = &'a ChangeFacts> {
    let now = context.0.now.utc;
    context.0.changes.iter().filter(move |it| {
        service.is_none_or(|service| service == it.service) && now.since(it.at) <= within_ms
    })
}

/// An instant for people, to the millisecond.
pub(super) fn instant(at: Timestamp) -> String {
    let utc = chrono::DateTime::from_timestamp_millis(at.0);
    utc.map_or_else(
        || at.to_string(),
        |it| it.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
    )
}

/// When a time of the week is again, now or later, once the first time after the incident became
/// active has passed.
fn again(time: &str, zone: Option<&str>, facts: Facts<'_>) -> Option<Timestamp> {
    let moment: Moment = time.parse().ok()?;
    let zone = time_zone(zone, facts)?;
    let first = moment.next(zone, facts.incident?.0.active_since)?;
    moment.next(zone, first.max(facts.context?.0.now.utc))
}

/// The time zone with this name, or that of the policies. Both are checked before; UTC else.
fn time_zone(name: Option<&str>, facts: Facts<'_>) -> Option<Tz> {
    let own = || Some(facts.context?.0.now.zone.as_str());
    Some(name.or_else(own)?.parse().unwrap_or_default())
}

/// All that a script can see of a change.
fn described(change: &ChangeFacts) -> String {
    let link = change.link.as_deref().unwrap_or("");
    format!(
        "{} {:?} at {} {link}",
        change.service,
        change.title,
        instant(change.at)
    )
}
