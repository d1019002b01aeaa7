//! A question for a policy that can be changed so that a read finds something else.

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin_core::limits::STARTS_MAX;
use tocsin_core::{
    Alert, Grade, IncidentKey, Labels, PersonId, Signal, SignalStatus, Target, TeamId, Timestamp,
};

use super::candidates;
use crate::alerts::{AlertList, ListedAlert, Starts, has_labels};
use crate::candidate::{Candidate, Candidates};
use crate::kind::Kind;
use crate::limits::COUNT_MAX;
use crate::names::Names;
use crate::trace::{
    AgeOf, AlertField, Answer, ClockField, Facts, IncidentField, LabelsOf, Quantity, Read,
};
use crate::view::{
    AlertView, ChangeFacts, Context, ContextFacts, IncidentFacts, IncidentView, LocalTime, Weekday,
};

/// The time of every question: a Tuesday at ten, unless the script reads the clock.
const NOW: Timestamp = Timestamp(1_790_000_000_000);
/// Most labels that a question may have.
const LABELS_MAX: usize = 64;

/// A question.
#[derive(Clone, Debug)]
pub(super) struct Input {
    alert: Signal,
    incident: IncidentFacts,
    context: ContextFacts,
    alerts: Vec<ListedAlert>,
    /// An alert that is routed to one of these joins at once.
    open: BTreeSet<IncidentKey>,
    candidates: Vec<Candidate>,
}

/// A question as a policy sees it.
pub(super) struct Views {
    parameters: &'static [&'static str],
    alert: AlertView,
    incident: IncidentView,
    context: Context,
    candidates: Candidates,
}

impl Views {
    /// What a function with these parameters is asked about.
    pub(super) fn facts(&self) -> Facts<'_> {
        let has = |name: &str| self.parameters.contains(&name);
        Facts {
            alert: Some(&self.alert).filter(|_| has("alert")),
            incident: Some(&self.incident).filter(|_| has("incident")),
            context: Some(&self.context),
            candidates: Some(&self.candidates).filter(|_| has("candidates")),
        }
    }
}

impl Input {
    /// An alert without labels, and the incident that it opens.
    pub(super) fn first(kind: Kind, team: Option<&str>, names: Option<&Names>) -> Self {
        let alert = Signal {
            integration: "prometheus".into(),
            fingerprint: "1".into(),
            status: SignalStatus::Firing,
            title: "An alert".to_owned(),
            summary: String::new(),
            labels: Labels::new(),
            annotations: Labels::new(),
            starts_at: NOW,
            ends_at: None,
            link: None,
            sender: tocsin_core::Sender::default(),
            fires_at: None,
        };
        let target = Target {
            key: "a key".into(),
            service: "a service".to_owned(),
            team: team.map(TeamId::from),
            title: None,
            merges: tocsin_core::Labels::new(),
        };
        let mut incident = IncidentFacts::opening(&target, &alert, NOW);
        if Kind::Grading < kind {
            incident.grade = Some(Grade::Major);
        }
        let someone = names.and_then(|it| it.people.first());
        let someone = someone.map_or("somebody", String::as_str);
        let on_call = names.iter().flat_map(|it| &it.rotations);
        let on_call = on_call.map(|it| (it.clone(), vec![PersonId::from(someone)]));
        let context = ContextFacts {
            now: LocalTime {
                utc: NOW,
                zone: "UTC".to_owned(),
                hour: 10,
                weekday: Weekday::Tuesday,
                ..LocalTime::default()
            },
            on_call: on_call.collect(),
            ..ContextFacts::default()
        };
        Self {
            alert,
            incident,
            context,
            alerts: Vec::new(),
            open: BTreeSet::new(),
            candidates: candidates::first(names),
        }
    }

    pub(super) fn views(&self, parameters: &'static [&'static str]) -> Views {
        let around = AlertList {
            alerts: self.alerts.clone(),
            open: self.open.clone(),
        };
        Views {
            parameters,
            candidates: Candidates::new(self.candidates.clone()),
            alert: AlertView::new(self.alert.clone()),
            incident: IncidentView::new(self.incident.clone()),
            context: Context::new(self.context.clone()).with_alerts(Arc::new(around)),
        }
    }

    /// This question with another answer to `read`; `None` when it cannot have that answer.
    pub(super) fn with(&self, read: &Read, answer: &Answer) -> Option<Self> {
        let mut it = self.clone();
        match (read, answer) {
            (Read::Alert(field), _) => it.set_alert(*field, answer)?,
            (Read::Incident(field), _) => it.set_incident(*field, answer)?,
            (Read::Label(of, name), Answer::Text(text)) => it.set_label(*of, name, text),
            (Read::HasLabel(of, name), Answer::Flag(has)) => {
                it.set_label(*of, name, if *has { "x" } else { "" });
            }
            (Read::LabelNames(of), Answer::Texts(names)) => {
                let named = names.iter().map(|name| (name.clone(), "x".to_owned()));
                *it.labels(*of) = named.collect();
            }
            (Read::Exactly(quantity), Answer::Whole(number)) => it.set(quantity, *number)?,
            (Read::AtLeast(quantity, than), Answer::Flag(is)) => {
                it.set(quantity, than.checked_sub(i64::from(!is))?)?;
            }
            (Read::Equals(quantity, than), Answer::Flag(is)) => {
                it.set(quantity, than.checked_add(i64::from(!is))?)?;
            }
            (Read::Now(field), _) => it.set_clock(*field, answer)?,
            (Read::HasRotation(name), Answer::Flag(has)) => {
                it.context.on_call.remove(name);
                if *has {
                    it.context.on_call.insert(name.clone(), Vec::new());
                }
            }
            (Read::IsOpen(key), Answer::Flag(is)) => {
                let key = IncidentKey::from(key.as_str());
                match is {
                    true => it.open.insert(key),
                    false => it.open.remove(&key),
                };
            }
            (Read::OnCall(rotation), Answer::Texts(people)) => {
                let people = people.iter().map(|it| PersonId::from(it.as_str()));
                it.context
                    .on_call
                    .insert(rotation.clone(), people.collect());
            }
            (Read::Changes(service, _), Answer::Texts(changes)) => {
                let service = service.as_deref().unwrap_or("a service");
                let change = |title: &String| ChangeFacts {
                    service: service.to_owned(),
                    title: title.clone(),
                    at: NOW,
                    link: None,
                };
                it.context.changes = changes.iter().map(change).collect();
            }
            (Read::Candidates, Answer::Whole(count)) => {
                candidates::resize(&mut it.candidates, usize::try_from(*count).ok()?);
            }
            (Read::Candidate(at, field), _) => {
                candidates::set(&mut it.candidates, *at, *field, answer)?;
            }
            _ => return None,
        }
        Some(it)
    }

    fn key(&self) -> String {
        Alert::row_key(&self.alert.integration, &self.alert.fingerprint)
    }

    fn labels(&mut self, of: LabelsOf) -> &mut Labels {
        match of {
            LabelsOf::Alert => &mut self.alert.labels,
            LabelsOf::Annotations => &mut self.alert.annotations,
            LabelsOf::Incident => &mut self.incident.labels,
        }
    }

    /// An empty text removes the label.
    fn set_label(&mut self, of: LabelsOf, name: &str, text: &str) {
        let labels = self.labels(of);
        match text {
            "" => labels.remove(name),
            text => labels.insert(name.to_owned(), text.to_owned()),
        };
    }

    fn set_alert(&mut self, field: AlertField, answer: &Answer) -> Option<()> {
        let alert = &mut self.alert;
        match (field, answer) {
            (AlertField::Integration, Answer::Text(text)) => {
                alert.integration = text.as_str().into();
            }
            (AlertField::Fingerprint, Answer::Text(text)) => {
                alert.fingerprint = text.as_str().into();
            }
            (AlertField::Status, Answer::Text(text)) => {
                let mut all = SIGNAL_STATUSES.into_iter();
                alert.status = all.find(|(name, _)| name == text)?.1;
            }
            (AlertField::Title, Answer::Text(text)) => alert.title.clone_from(text),
            (AlertField::Summary, Answer::Text(text)) => alert.summary.clone_from(text),
            (AlertField::Link, Answer::Text(text)) => {
                alert.link = Some(text.clone()).filter(|it| !it.is_empty());
            }
            (AlertField::StartsAt, Answer::Whole(number)) => alert.starts_at = Timestamp(*number),
            _ => return None,
        }
        Some(())
    }

    fn set_incident(&mut self, field: IncidentField, answer: &Answer) -> Option<()> {
        let incident = &mut self.incident;
        match (field, answer) {
            (IncidentField::Id, Answer::Text(text)) => {
                incident.id = Some(text)
                    .filter(|it| !it.is_empty())
                    .map(|it| it.as_str().into());
            }
            (IncidentField::Number, Answer::Whole(number)) => {
                incident.number = u64::try_from(*number).ok()?;
            }
            (IncidentField::Key, Answer::Text(text)) => incident.key = text.as_str().into(),
            (IncidentField::Title, Answer::Text(text)) => incident.title.clone_from(text),
            (IncidentField::Service, Answer::Text(text)) => incident.service.clone_from(text),
            (IncidentField::Team, Answer::Text(text)) => {
                incident.team = Some(text)
                    .filter(|it| !it.is_empty())
                    .map(|it| it.as_str().into());
            }
            (IncidentField::Grade, Answer::Text(text)) => incident.grade = text.parse().ok(),
            (IncidentField::Security, Answer::Flag(flag)) => incident.security = *flag,
            (IncidentField::Status, Answer::Text(text)) => incident.status = text.parse().ok()?,
            (IncidentField::OpenedAt, Answer::Whole(number)) => {
                incident.opened_at = Timestamp(*number);
            }
            (IncidentField::Acknowledged, Answer::Flag(flag)) => incident.acknowledged = *flag,
            (IncidentField::Drill, Answer::Flag(flag)) => incident.drill = *flag,
            _ => return None,
        }
        Some(())
    }

    fn set_clock(&mut self, field: ClockField, answer: &Answer) -> Option<()> {
        let now = &mut self.context.now;
        match (field, answer) {
            (ClockField::Utc, Answer::Whole(number)) => now.utc = Timestamp(*number),
            (ClockField::Zone, Answer::Text(text)) => now.zone.clone_from(text),
            (ClockField::Hour, Answer::Whole(number)) => {
                now.hour = u8::try_from(*number).ok().filter(|it| *it < 24)?;
            }
            (ClockField::Minute, Answer::Whole(number)) => {
                now.minute = u8::try_from(*number).ok().filter(|it| *it < 60)?;
            }
            (ClockField::Weekday, Answer::Text(text)) => {
                now.weekday = Weekday::ALL.into_iter().find(|day| day.as_str() == text)?;
            }
            (ClockField::Weekend, Answer::Flag(is)) => {
                now.weekday = Weekday::ALL
                    .into_iter()
                    .find(|day| day.is_weekend() == *is)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn set(&mut self, quantity: &Quantity, number: i64) -> Option<()> {
        let count = u64::try_from(number).ok()?;
        match quantity {
            Quantity::AlertsTotal => {
                self.incident.alerts_total = count.max(1);
                self.incident.alerts_firing = self.incident.alerts_firing.min(count);
            }
            Quantity::AlertsFiring => {
                self.incident.alerts_firing = count;
                self.incident.alerts_total = self.incident.alerts_total.max(count);
            }
            Quantity::Labels(of) => {
                let count = usize::try_from(count).ok().filter(|it| *it <= LABELS_MAX)?;
                let labels = self.labels(*of);
                while labels.len() > count {
                    labels.pop_last();
                }
                for number in 0..LABELS_MAX {
                    if labels.len() < count {
                        labels.insert(format!("label{number}"), "x".to_owned());
                    }
                }
            }
            Quantity::Load(person) => {
                let count = u32::try_from(number).ok()?;
                self.context.load.insert(person.as_str().into(), count);
            }
            Quantity::Firing(labels) | Quantity::Began(labels, _) => {
                self.set_others(count, true, labels, |_, _| {})?;
            }
            Quantity::Distinct(of, labels, _) => {
                let has_value = self.alert.labels.get(of).is_some_and(|it| !it.is_empty());
                self.set_others(count, has_value, labels, |number, labels| {
                    let value = || format!("{of} {number}");
                    labels.entry(of.clone()).or_insert_with(value);
                })?;
            }
            Quantity::Flaps(_) => {
                let count = usize::try_from(count).ok().filter(|it| *it <= STARTS_MAX)?;
                let key = self.key();
                self.alerts.retain(|it| it.key != key);
                self.alerts.push(ListedAlert {
                    key,
                    labels: self.alert.labels.clone(),
                    starts: Starts {
                        firing: true,
                        times: vec![NOW; count],
                    },
                });
            }
            Quantity::Age(of, unit_ms) => {
                let start = self.context.now.utc.minus_ms(count.checked_mul(*unit_ms)?);
                match of {
                    AgeOf::Alert => self.alert.starts_at = start,
                    AgeOf::Incident => self.incident.opened_at = start,
                    AgeOf::Since(at) => {
                        let mut changes = self.context.changes.iter_mut();
                        changes.find(|change| change.at == *at)?.at = start;
                    }
                }
            }
        }
        Some(())
    }
}

impl Input {
    /// Makes `count` alerts with these labels: the alert that is asked about, if it has them and
    /// may count, and others, each changed by its number.
    fn set_others(
        &mut self,
        count: u64,
        may_own: bool,
        labels: &Labels,
        change: impl Fn(usize, &mut Labels),
    ) -> Option<()> {
        let own = may_own && has_labels(&self.alert.labels, labels);
        let others = count.checked_sub(u64::from(own))?;
        let others = usize::try_from(others).ok().filter(|it| *it < COUNT_MAX)?;
        let key = self.key();
        let alerts = &mut self.alerts;
        alerts.retain(|it| it.key == key || !has_labels(&it.labels, labels));
        alerts.extend((0..others).map(|number| {
            let mut labels = labels.clone();
            change(number, &mut labels);
            other(number, &labels)
        }));
        Some(())
    }
}

/// Another alert with these labels, which has just begun to fire.
fn other(number: usize, labels: &Labels) -> ListedAlert {
    let present = labels.iter().filter(|(_, value)| !value.is_empty());
    ListedAlert {
        key: format!("other/{number}/{labels:?}"),
        labels: present
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        starts: Starts {
            firing: true,
            times: vec![NOW],
        },
    }
}

/// Every status of an alert.
pub(super) const SIGNAL_STATUSES: [(&str, SignalStatus); 3] = [
    ("firing", SignalStatus::Firing),
    ("acknowledged", SignalStatus::Acknowledged),
    ("resolved", SignalStatus::Resolved),
];
