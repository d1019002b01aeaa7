//! The fields of an alert, of an incident and of the clock that a policy can read.

use serde::{Deserialize, Serialize};
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{SignalStatus, Timestamp};

use super::Answer;
use crate::view::{AlertView, Context, IncidentView};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertField {
    Integration,
    Fingerprint,
    Status,
    Title,
    Summary,
    Link,
    StartsAt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentField {
    Id,
    Number,
    Key,
    Title,
    Service,
    Team,
    Grade,
    Security,
    Status,
    OpenedAt,
    Acknowledged,
    Drill,
}

/// What the clock shows in the policies' time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockField {
    /// Milliseconds since 1970; another with every millisecond.
    Utc,
    Zone,
    Hour,
    Minute,
    Weekday,
    Weekend,
}

impl AlertField {
    pub(super) fn answer(self, alert: &AlertView) -> Answer {
        let signal = &alert.0;
        let text = |text: &str| Answer::Text(text.to_owned());
        match self {
            Self::Integration => text(signal.integration.as_str()),
            Self::Fingerprint => text(signal.fingerprint.as_str()),
            Self::Status => text(match signal.status {
                SignalStatus::Firing => "firing",
                SignalStatus::Acknowledged => "acknowledged",
                SignalStatus::Resolved => "resolved",
            }),
            Self::Title => text(&signal.title),
            Self::Summary => text(&signal.summary),
            Self::Link => text(signal.link.as_deref().unwrap_or("")),
            Self::StartsAt => Answer::Whole(signal.starts_at.0),
        }
    }
}

impl IncidentField {
    pub(super) fn answer(self, incident: &IncidentView) -> Answer {
        let facts = &incident.0;
        let text = |text: Option<&str>| Answer::Text(text.unwrap_or("").to_owned());
        match self {
            Self::Id => text(facts.id.as_ref().map(|it| it.as_str())),
            Self::Number => Answer::Whole(i64::try_from(facts.number).unwrap_or(i64::MAX)),
            Self::Key => text(Some(facts.key.as_str())),
            Self::Title => text(Some(&facts.title)),
            Self::Service => text(Some(&facts.service)),
            Self::Team => text(facts.team.as_ref().map(|it| it.as_str())),
            Self::Grade => text(facts.grade.map(tocsin_core::Grade::as_str)),
            Self::Security => Answer::Flag(facts.security),
            Self::Status => text(Some(facts.status.as_str())),
            Self::OpenedAt => Answer::Whole(facts.opened_at.0),
            Self::Acknowledged => Answer::Flag(facts.acknowledged),
            Self::Drill => Answer::Flag(facts.drill),
        }
    }
}

impl ClockField {
    pub(super) fn answer(self, context: &Context) -> Answer {
        let now = &context.0.now;
        match self {
            Self::Utc => Answer::Whole(now.utc.0),
            Self::Zone => Answer::Text(now.zone.clone()),
            Self::Hour => Answer::Whole(i64::from(now.hour)),
            Self::Minute => Answer::Whole(i64::from(now.minute)),
            Self::Weekday => Answer::Text(now.weekday.as_str().to_owned()),
            Self::Weekend => Answer::Flag(now.weekday.is_weekend()),
        }
    }

    pub(super) fn flips_at(self, context: &Context) -> Option<Timestamp> {
        let now = &context.0.now;
        match self {
            Self::Utc => Some(now.utc.plus_ms(1)),
            Self::Zone => None,
            // Offsets of time zones are whole minutes.
            Self::Minute => Some(
                now.utc
                    .plus_ms(MINUTE_MS - now.utc.since(Timestamp(0)) % MINUTE_MS),
            ),
            Self::Hour => now.next_hour,
            Self::Weekday | Self::Weekend => now.next_day,
        }
    }
}
