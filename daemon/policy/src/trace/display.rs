//! How a read is written for people: as the expression that a policy would use.

use std::fmt;

use serde_json::{Value, json};
use tocsin_core::Labels;

use super::read::instant;
use super::{
    AgeOf, AlertField, Answer, CandidateField, ClockField, IncidentField, LIST_MAX, LabelsOf,
    Quantity, Read, TEXT_BYTES_MAX,
};
use crate::span::Span;
use crate::text::cut;

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alert(field) => write!(f, "alert.{}", field.name()),
            Self::Incident(field) => write!(f, "incident.{}", field.name()),
            Self::Label(of, name) => write!(f, "{of}[{name:?}]"),
            Self::HasLabel(of, name) => write!(f, "{of}.contains({name:?})"),
            Self::LabelNames(of) => write!(f, "{of}.keys()"),
            Self::Exactly(quantity) => quantity.fmt(f),
            Self::AtLeast(quantity, than) => write!(f, "{quantity} >= {}", quantity.unit(*than)),
            Self::Equals(quantity, than) => write!(f, "{quantity} == {}", quantity.unit(*than)),
            Self::Now(field) => write!(f, "ctx.now.{}", field.name()),
            Self::HasRotations => f.write_str("any rotation"),
            Self::HasRotation(name) => write!(f, "ctx.has_rotation({name:?})"),
            Self::OnCall(name) => write!(f, "ctx.on_call({name:?})"),
            Self::IsOpen(key) => write!(f, "ctx.is_open({key:?})"),
            Self::Changes(None, within) => write!(f, "ctx.changes({})", Span(*within)),
            Self::Changes(Some(service), within) => {
                write!(f, "ctx.changes({service:?}, {})", Span(*within))
            }
            Self::Again(time, None) => write!(f, "next({time:?}) after that"),
            Self::Again(time, Some(zone)) => write!(f, "next({time:?}, {zone:?}) after that"),
            Self::Next(time, None) => write!(f, "next({time:?})"),
            Self::Next(time, Some(zone)) => write!(f, "next({time:?}, {zone:?})"),
            Self::Candidates => f.write_str("candidates.len()"),
            Self::Candidate(at, field @ CandidateField::Load(_)) => {
                write!(f, "candidates[{at}].load.{}", field.name())
            }
            Self::Candidate(at, field) => write!(f, "candidates[{at}].{}", field.name()),
            Self::IsCandidate(id) => write!(f, "candidate {id:?}"),
            Self::Within(hours, None) => write!(f, "ctx.within({hours:?})"),
            Self::Within(hours, Some(zone)) => write!(f, "ctx.within({hours:?}, {zone:?})"),
        }
    }
}

impl fmt::Display for LabelsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alert => "alert.labels",
            Self::Annotations => "alert.annotations",
            Self::Incident => "incident.labels",
        })
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlertsTotal => f.write_str("incident.alerts.total"),
            Self::AlertsFiring => f.write_str("incident.alerts.firing"),
            Self::Labels(of) => write!(f, "{of}.len()"),
            Self::Load(person) => write!(f, "ctx.load({person:?})"),
            Self::Firing(labels) => write!(f, "ctx.firing({})", Wanted(labels)),
            Self::Began(labels, ms) => write!(f, "ctx.count({}, {})", Wanted(labels), Span(*ms)),
            Self::Distinct(of, labels, ms) => {
                let (wanted, within) = (Wanted(labels), Span(*ms));
                write!(f, "ctx.count_distinct({of:?}, {wanted}, {within})")
            }
            Self::Flaps(ms) => write!(f, "ctx.flaps(alert, {})", Span(*ms)),
            Self::Age(AgeOf::Alert, _) => f.write_str("ctx.age(alert)"),
            Self::Age(AgeOf::Incident, _) => f.write_str("ctx.age(incident)"),
            Self::Age(AgeOf::Since(at), _) => write!(f, "age of the change at {}", instant(*at)),
        }
    }
}

/// Labels as a map of a script.
struct Wanted<'a>(&'a Labels);

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.0.iter();
        let labels: Vec<_> = labels
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        write!(f, "#{{{}}}", labels.join(", "))
    }
}

impl Quantity {
    /// A number of this quantity's unit, as text.
    fn unit(&self, number: i64) -> String {
        match self {
            Self::Age(_, unit_ms) => {
                let number = u64::try_from(number).unwrap_or(0);
                Span(number.saturating_mul(*unit_ms)).to_string()
            }
            _ => number.to_string(),
        }
    }
}

impl AlertField {
    pub(crate) const ALL: [Self; 7] = [
        Self::Integration,
        Self::Fingerprint,
        Self::Status,
        Self::Title,
        Self::Summary,
        Self::Link,
        Self::StartsAt,
    ];

    /// The property in scripts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Integration => "integration",
            Self::Fingerprint => "fingerprint",
            Self::Status => "status",
            Self::Title => "title",
            Self::Summary => "summary",
            Self::Link => "link",
            Self::StartsAt => "starts_at_ms",
        }
    }
}

impl IncidentField {
    pub(crate) const ALL: [Self; 12] = [
        Self::Id,
        Self::Number,
        Self::Key,
        Self::Title,
        Self::Service,
        Self::Team,
        Self::Grade,
        Self::Security,
        Self::Status,
        Self::OpenedAt,
        Self::Acknowledged,
        Self::Drill,
    ];

    /// The property in scripts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Number => "number",
            Self::Key => "key",
            Self::Title => "title",
            Self::Service => "service",
            Self::Team => "team",
            Self::Grade => "grade",
            Self::Security => "security",
            Self::Status => "status",
            Self::OpenedAt => "opened_at_ms",
            Self::Acknowledged => "acknowledged",
            Self::Drill => "drill",
        }
    }
}

impl ClockField {
    pub(crate) const ALL: [Self; 6] = [
        Self::Utc,
        Self::Zone,
        Self::Hour,
        Self::Minute,
        Self::Weekday,
        Self::Weekend,
    ];

    /// The property in scripts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Utc => "utc_ms",
            Self::Zone => "zone",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Weekday => "weekday",
            Self::Weekend => "weekend",
        }
    }
}

impl Answer {
    /// What this found, for people: an exact age is a span, not a number of milliseconds.
    pub(crate) fn shown(&self, read: &Read) -> Self {
        match (read, self) {
            (Read::Exactly(Quantity::Age(_, unit_ms)), Self::Whole(number)) => {
                let ms = u64::try_from(*number).unwrap_or(0).saturating_mul(*unit_ms);
                Self::Text(Span(ms).rounded().to_string())
            }
            _ => self.clone(),
        }
    }

    /// As JSON with long texts truncated, and lists to a few.
    pub(crate) fn bounded(&self) -> Value {
        match self {
            Self::Flag(flag) => json!(flag),
            Self::Whole(number) => json!(number),
            Self::Text(text) => json!(cut(text, TEXT_BYTES_MAX)),
            Self::Texts(texts) => {
                let few = texts.iter().take(LIST_MAX);
                few.map(|it| cut(it, TEXT_BYTES_MAX)).collect()
            }
        }
    }
}
