//! The inputs of a test as it writes them, each with defaults.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tocsin_core::{
    Grade, IncidentId, IncidentKey, Labels, PersonId, Signal, SignalStatus, Status, Target, TeamId,
    Timestamp,
};
use toml::Spanned;

use super::around::AroundCase;
use crate::calendar::some_instant;
use crate::candidate::Candidate;
use crate::span::Span;
use crate::view::{ChangeFacts, ContextFacts, IncidentFacts, LocalTime, Weekday};

/// Two values that contradict each other, or one that means nothing.
pub(super) struct Contradiction {
    /// Where it is, in bytes.
    pub(super) at: usize,
    pub(super) message: String,
    pub(super) remedy: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestCase {
    pub(super) name: Spanned<String>,
    pub(super) alert: Option<AlertCase>,
    pub(super) incident: Option<IncidentCase>,
    pub(super) context: Option<ContextCase>,
    pub(super) candidates: Option<Vec<Candidate>>,
    pub(super) expect: toml::Table,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AlertCase {
    integration: Option<String>,
    fingerprint: Option<String>,
    status: Option<SignalStatus>,
    title: Option<String>,
    summary: String,
    labels: Labels,
    annotations: Labels,
    starts_at_ms: Option<i64>,
    age: Option<Spanned<String>>,
    /// How long ago it began to fire, each time before now.
    pub(super) began: Vec<Spanned<String>>,
    link: Option<String>,
}

impl AlertCase {
    pub(super) fn signal(self, now: Timestamp) -> Result<Signal, Contradiction> {
        Ok(Signal {
            integration: self.integration.unwrap_or_else(|| "test".to_owned()).into(),
            fingerprint: self.fingerprint.unwrap_or_else(|| "test".to_owned()).into(),
            status: self.status.unwrap_or(SignalStatus::Firing),
            title: self.title.unwrap_or_else(|| "An alert".to_owned()),
            summary: self.summary,
            labels: self.labels,
            annotations: self.annotations,
            starts_at: start("starts_at_ms", self.starts_at_ms, self.age, now)?,
            ends_at: None,
            link: self.link,
            sender: tocsin_core::Sender::default(),
            fires_at: None,
        })
    }
}

/// An incident; omitted fields are as in one that opens for the test's alert.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct IncidentCase {
    id: Option<IncidentId>,
    number: Option<u64>,
    key: Option<String>,
    title: Option<String>,
    service: Option<String>,
    team: Option<TeamId>,
    grade: Option<Grade>,
    security: bool,
    status: Option<Status>,
    alerts: CountsCase,
    labels: Option<Labels>,
    opened_at_ms: Option<i64>,
    age: Option<Spanned<String>>,
    acknowledged: bool,
    drill: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CountsCase {
    total: Option<u64>,
    firing: Option<u64>,
}

impl IncidentCase {
    /// The facts; in a team's own tests the incident belongs to that team unless specified.
    pub(super) fn facts(
        self,
        alert: &Signal,
        team: Option<&str>,
        now: Timestamp,
    ) -> Result<IncidentFacts, Contradiction> {
        let target = Target {
            key: self.key.unwrap_or_else(|| "test".to_owned()).into(),
            service: self.service.unwrap_or_else(|| "test".to_owned()),
            team: self.team.or_else(|| team.map(TeamId::from)),
            title: self.title,
            merges: tocsin_core::Labels::new(),
        };
        let opened_at = start("opened_at_ms", self.opened_at_ms, self.age, now)?;
        let opening = IncidentFacts::opening(&target, alert, opened_at);
        let firing = self.alerts.firing.unwrap_or(opening.alerts_firing);
        Ok(IncidentFacts {
            id: self.id,
            number: self.number.unwrap_or(opening.number),
            grade: self.grade,
            security: self.security,
            status: self.status.unwrap_or(opening.status),
            alerts_total: self.alerts.total.unwrap_or(firing),
            alerts_firing: firing,
            labels: self.labels.unwrap_or(opening.labels),
            acknowledged: self.acknowledged,
            drill: self.drill,
            ..opening
        })
    }
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ContextCase {
    now: NowCase,
    on_call: BTreeMap<String, Vec<PersonId>>,
    load: BTreeMap<PersonId, u32>,
    changes: Vec<ChangeCase>,
    pub(super) alerts: Vec<AroundCase>,
    /// An alert that is routed to one of these joins at once.
    pub(super) open: BTreeSet<IncidentKey>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeCase {
    #[serde(default)]
    service: String,
    #[serde(default)]
    title: String,
    at_ms: Option<i64>,
    age: Option<Spanned<String>>,
    link: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct NowCase {
    utc_ms: Option<i64>,
    zone: Option<String>,
    hour: u8,
    minute: u8,
    weekday: Option<Weekday>,
    weekend: Option<Spanned<bool>>,
}

impl ContextCase {
    pub(super) fn facts(self) -> Result<ContextFacts, Contradiction> {
        let weekday = self.now.weekday()?;
        let NowCase {
            utc_ms,
            zone,
            hour,
            minute,
            ..
        } = self.now;
        let zone = zone.unwrap_or_else(|| "UTC".to_owned());
        let clock = || some_instant(zone.parse().unwrap_or_default(), (weekday, hour, minute));
        let now = LocalTime {
            utc: utc_ms.map_or_else(clock, Timestamp),
            weekday,
            zone,
            hour,
            minute,
            ..LocalTime::default()
        };
        let change = |it: ChangeCase| {
            Ok(ChangeFacts {
                service: it.service,
                title: it.title,
                at: start("at_ms", it.at_ms, it.age, now.utc)?,
                link: it.link,
            })
        };
        Ok(ContextFacts {
            on_call: self.on_call,
            load: self.load,
            changes: self
                .changes
                .into_iter()
                .map(change)
                .collect::<Result<_, _>>()?,
            now,
        })
    }
}

impl NowCase {
    /// The day that is given; else the first that is on a weekend or not, as `weekend` says.
    fn weekday(&self) -> Result<Weekday, Contradiction> {
        let Some(weekend) = &self.weekend else {
            return Ok(self.weekday.unwrap_or_default());
        };
        let fits = |day: &Weekday| day.is_weekend() == *weekend.get_ref();
        let mut days = match self.weekday {
            Some(day) => vec![day],
            None => Weekday::ALL.to_vec(),
        }
        .into_iter();
        days.find(fits).ok_or_else(|| Contradiction {
            at: weekend.span().start,
            message: "`weekend` contradicts `weekday`".to_owned(),
            remedy: "remove one of them: each says what the other is",
        })
    }
}

/// When something began, by its time or its age; now if neither is given.
pub(super) fn start(
    key: &str,
    at_ms: Option<i64>,
    age: Option<Spanned<String>>,
    now: Timestamp,
) -> Result<Timestamp, Contradiction> {
    let Some(age) = age else {
        return Ok(at_ms.map_or(now, Timestamp));
    };
    let wrong = |message: String, remedy| Contradiction {
        at: age.span().start,
        message,
        remedy,
    };
    if at_ms.is_some() {
        let message = format!("`age` and `{key}` say the same");
        return Err(wrong(message, "remove one of them"));
    }
    match Span::parse(age.get_ref()) {
        Some(Span(ms)) => Ok(now.minus_ms(ms)),
        None => {
            let message = format!("`{}` is not an age", age.get_ref());
            Err(wrong(message, "write it as \"10m\", \"1h30m\" or \"2d\""))
        }
    }
}
