//! `[rotations.ID]`: on-call schedules.

use chrono::Weekday;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tocsin_core::{PersonId, Timestamp};
use tocsin_policy::calendar;

use super::text::{Date, Moment, Zone};
use crate::people::{Every, Handover, Hours, Layer, Override, Restriction, Rotation};

/// Most layers of one rotation.
pub const LAYERS_MAX: usize = 8;
/// Most people who take turns in one layer.
pub const LAYER_PEOPLE_MAX: usize = 64;
/// Most overrides of one rotation.
pub const OVERRIDES_MAX: usize = 256;

/// One `[rotations.ID]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RotationConfig {
    /// The IANA time zone of the handovers. A handover at a local time that does not exist happens
    /// at the first instant after the gap; at one that exists twice, at its first occurrence.
    pub timezone: Zone,
    /// In order of precedence: the first layer that covers an instant decides who is on call.
    /// 1 to 8.
    pub layers: Vec<LayerConfig>,
    /// Exceptions, which take precedence over every layer. At most 256, and they must not overlap.
    #[serde(default)]
    pub overrides: Vec<OverrideConfig>,
}

/// One layer: people who take turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LayerConfig {
    /// Who takes turns, in this order; at most 64.
    pub people: Vec<PersonId>,
    /// When a turn ends, in local time: `"monday 09:00"`, or `"09:00"` for turns in days.
    pub handover: Handover,
    /// How long a turn is: `"1 week"`, `"2 weeks"`, `"1 day"`, … Default `"1 week"`.
    #[serde(default = "one_week")]
    pub every: Every,
    /// The local date on or after which the first turn begins: `"2026-01-05"`. The first of
    /// `people` has that turn. Before it, the layer covers nothing.
    pub start: Date,
    /// Which days and hours the layer covers; all by default. Turns continue outside them.
    #[serde(default)]
    pub restrict: Option<RestrictConfig>,
}

/// The days and hours that a layer covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RestrictConfig {
    /// The days on which its hours begin, such as `["monday", "tuesday"]`. Default every day.
    #[serde(default = "every_day")]
    pub days: Vec<Day>,
    /// The hours of those days, such as `"09:00-17:00"`; `"22:00-06:00"` ends on the next day.
    /// Default the whole day.
    #[serde(default = "whole_day")]
    pub hours: Hours,
}

/// An exception: another person is on call for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OverrideConfig {
    pub person: PersonId,
    /// From when: `"2026-12-24T18:00"` on the rotation's clock, or with an offset from UTC.
    pub from: Moment,
    /// Until when, exclusive.
    pub until: Moment,
}

/// A day of the week, in English.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(pub Weekday);

impl RotationConfig {
    /// The configured rotation.
    #[must_use]
    pub fn rotation(&self) -> Rotation {
        let zone = self.timezone.0;
        let over = |over: &OverrideConfig| Override {
            person: over.person.clone(),
            from: self.instant(over.from),
            until: self.instant(over.until),
            id: None,
        };
        Rotation {
            zone,
            layers: self.layers.iter().map(LayerConfig::layer).collect(),
            overrides: self.overrides.iter().map(over).collect(),
        }
    }

    /// The instant of a moment in this rotation's time zone.
    #[must_use]
    pub fn instant(&self, moment: Moment) -> Timestamp {
        moment.instant(self.timezone.0)
    }
}

impl LayerConfig {
    fn layer(&self) -> Layer {
        Layer {
            people: self.people.clone(),
            handover: self.handover,
            every: self.every,
            start: self.start.0,
            restrict: self.restrict.as_ref().map(|restrict| Restriction {
                days: restrict.days.iter().map(|day| day.0).collect(),
                hours: restrict.hours,
            }),
        }
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        calendar::parse_weekday(&text).map(Self).ok_or_else(|| {
            let advice = "write \"monday\" to \"sunday\"";
            serde::de::Error::custom(format!("`{text}` is not a day of the week; {advice}"))
        })
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        into.serialize_str(calendar::weekday_name(self.0))
    }
}

fn one_week() -> Every {
    Every::Weeks(1)
}

fn every_day() -> Vec<Day> {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    [Mon, Tue, Wed, Thu, Fri, Sat, Sun].map(Day).to_vec()
}

fn whole_day() -> Hours {
    Hours::WHOLE_DAY
}
