//! Who is on call.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Person, PersonId, Timestamp};
use utoipa::{IntoParams, ToSchema};

use crate::config::Moment;
use crate::people::{
    Hindrance, MadeOverride, OVERRIDE_KEPT_MS, ResponderLookup, Roster, Rotation, Span,
};
use crate::time::{format_time, in_zone};

/// Most weeks of one schedule.
pub(crate) const WEEKS_MAX: u32 = 53;
/// Weeks of a schedule if the request does not say.
const WEEKS_USUAL: u32 = 4;
/// One week, in milliseconds.
const WEEK_MS: u64 = 7 * 24 * HOUR_MS;
/// Most lines of a text for chat.
const LINES_MAX: usize = 40;

/// Of which time to show who is on call.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhoQuery {
    /// Such as 2026-12-24T20:00, local to each rotation's time zone, or 2026-12-24T20:00:00Z; at
    /// most 53 weeks ahead and 400 days back. Left out, now.
    #[schema(value_type = Option<String>)]
    #[param(value_type = Option<String>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<Moment>,
    /// A token, for programs that cannot send headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

/// Every rotation, by name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct OnCall {
    pub(crate) rotations: Vec<RotationLine>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RotationLine {
    /// The rotation's ID in the configuration.
    pub(crate) rotation: String,
    /// The time zone of its handovers.
    pub(crate) timezone: String,
    /// Who is on call now, or when it was asked for; empty when no layer covers this instant.
    pub(crate) now: Vec<PersonLine>,
    /// When that next changes; null when it never does.
    pub(crate) next_handover: Option<String>,
    /// The override that puts them on call, if people made it.
    #[serde(default, rename = "override")]
    pub(crate) over: Option<String>,
    /// Why somebody else is paged now, if somebody else can be.
    #[serde(default)]
    pub(crate) hindrance: Option<HindranceLine>,
    /// Who is paged now; null if only the fallback is.
    #[serde(default)]
    pub(crate) paged: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PersonLine {
    pub(crate) person: String,
    /// The person's name.
    pub(crate) name: String,
}

/// Why whoever is on call is not paged if somebody else can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HindranceLine {
    /// Their calendar has them out of office.
    OutOfOffice,
    /// Nothing serves any of their contacts.
    Unreachable,
}

/// Overrides that people made and that have not ended.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct OverrideList {
    pub(crate) overrides: Vec<OverrideLine>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct OverrideLine {
    pub(crate) id: String,
    pub(crate) rotation: String,
    /// The time zone of the rotation's handovers.
    #[serde(default)]
    pub(crate) timezone: String,
    /// Who is on call.
    pub(crate) person: String,
    pub(crate) from: String,
    /// The end, exclusive.
    pub(crate) until: String,
    /// Who made it.
    pub(crate) by: String,
    /// When it was made.
    pub(crate) at: String,
    pub(crate) reason: String,
    /// Whether it has begun.
    pub(crate) active: bool,
}

/// The result of an action on who is on call.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct OnCallOutcome {
    /// What was done, for people to read.
    pub(crate) reply: String,
    /// The overrides that were made, or the one that was canceled.
    pub(crate) overrides: Vec<OverrideLine>,
    /// Whether an earlier request with the same key had made them.
    pub(crate) repeated: bool,
}

/// Which schedule to show.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleQuery {
    /// The rotation; left out, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rotation: Option<String>,
    /// Only times in which this person is on call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) person: Option<String>,
    /// How many weeks from now, 1 to 53. Default 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) weeks: Option<u32>,
    /// A token, for programs that cannot send headers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

/// Who is on call when, with every override.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Schedule {
    pub(crate) rotations: Vec<RotationSchedule>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RotationSchedule {
    pub(crate) rotation: String,
    /// The time zone of its handovers.
    pub(crate) timezone: String,
    /// In order, without gaps or overlaps.
    pub(crate) spans: Vec<SpanLine>,
}

/// A time in which the same people are on call and paged.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SpanLine {
    pub(crate) from: String,
    /// The end, exclusive.
    pub(crate) until: String,
    /// Who is on call; null if nobody is.
    pub(crate) on_call: Option<String>,
    /// The override that puts them on call, if people made it.
    #[serde(rename = "override")]
    pub(crate) over: Option<String>,
    /// Why somebody else is paged, if somebody else can be.
    pub(crate) hindrance: Option<HindranceLine>,
    /// Who is paged; null in a gap, in which only the fallback is.
    pub(crate) paged: Option<String>,
}

impl From<Hindrance> for HindranceLine {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Absent(_) => Self::OutOfOffice,
            Hindrance::Unreachable => Self::Unreachable,
        }
    }
}

impl WhoQuery {
    /// Who is on call then. A time of the past is answered from the rotations as they are
    /// configured now, with the overrides that are kept.
    ///
    /// # Errors
    /// When the time is too far away.
    pub(crate) fn on_call(
        &self,
        lookup: &ResponderLookup,
        now: Timestamp,
    ) -> Result<OnCall, String> {
        let roster = lookup.rosters.now();
        let window = (
            now.minus_ms(OVERRIDE_KEPT_MS),
            now.plus_ms(u64::from(WEEKS_MAX) * WEEK_MS),
        );
        let line = |(name, rotation): (&String, &Rotation)| {
            let at = self.at.map_or(now, |it| it.instant(rotation.zone));
            match window.0 <= at && at <= window.1 {
                true => Ok(RotationLine::at(lookup, &roster, (name, rotation), at)),
                false => Err(format!(
                    "choose a time at most {WEEKS_MAX} weeks ahead and 400 days back"
                )),
            }
        };
        let rotations = roster.rotations.iter().map(line);
        Ok(OnCall {
            rotations: rotations.collect::<Result<_, _>>()?,
        })
    }
}

impl RotationLine {
    fn at(
        lookup: &ResponderLookup,
        roster: &Roster,
        (name, rotation): (&String, &Rotation),
        at: Timestamp,
    ) -> Self {
        let reach = |person: &Person| lookup.is_reachable(person);
        let spans = roster.outlook(name, (at, at.plus_ms(1)), &reach);
        let span = spans.into_iter().next().map(SpanLine::of);
        let people = rotation.on_call(at).into_iter();
        Self {
            rotation: name.clone(),
            timezone: rotation.zone.name().to_owned(),
            now: people.map(|id| PersonLine::of(roster, id)).collect(),
            next_handover: rotation.next_handover(at).map(format_time),
            over: span.as_ref().and_then(|it| it.over.clone()),
            hindrance: span.as_ref().and_then(|it| it.hindrance),
            paged: span.and_then(|it| it.paged),
        }
    }
}

impl PersonLine {
    fn of(roster: &Roster, id: PersonId) -> Self {
        Self {
            name: roster.name(&id),
            person: id.0,
        }
    }
}

impl OverrideLine {
    pub(crate) fn of(over: &MadeOverride, roster: &Roster, now: Timestamp) -> Self {
        Self {
            id: over.id.clone(),
            rotation: over.rotation.clone(),
            timezone: roster.rotation_zone(&over.rotation).name().to_owned(),
            person: over.person.to_string(),
            from: format_time(over.from),
            until: format_time(over.until),
            by: over.by.to_string(),
            at: format_time(over.at),
            reason: over.reason.clone(),
            active: over.from <= now && over.is_live(now),
        }
    }
}

impl OverrideList {
    /// Those that have not ended.
    pub(crate) fn of(kept: &[Arc<MadeOverride>], roster: &Roster, now: Timestamp) -> Self {
        let live = kept.iter().filter(|it| it.is_live(now));
        Self {
            overrides: live.map(|it| OverrideLine::of(it, roster, now)).collect(),
        }
    }
}

impl ScheduleQuery {
    pub(crate) fn of(rotation: Option<String>) -> Self {
        Self {
            rotation,
            ..Self::default()
        }
    }

    /// Who is on call when.
    ///
    /// # Errors
    /// When the rotation or the person does not exist, or the weeks are too many.
    pub(crate) fn schedule(
        &self,
        lookup: &ResponderLookup,
        now: Timestamp,
    ) -> Result<Schedule, String> {
        let roster = lookup.rosters.now();
        let until = now.plus_ms(self.checked_ms(&roster)?);
        let reach = |person: &Person| lookup.is_reachable(person);
        let schedule = |(name, rotation): (&String, &Rotation)| {
            let spans = roster.outlook(name, (now, until), &reach);
            let spans = spans.into_iter();
            let spans = spans.filter(|it| self.takes_person(it.on_call.as_ref()));
            RotationSchedule {
                rotation: name.clone(),
                timezone: rotation.zone.name().to_owned(),
                spans: spans.map(SpanLine::of).collect(),
            }
        };
        let asked = roster.rotations.iter().filter(|(name, _)| self.takes(name));
        Ok(Schedule {
            rotations: asked.map(schedule).collect(),
        })
    }

    /// Whether a rotation is asked for.
    pub(crate) fn takes(&self, rotation: &str) -> bool {
        self.rotation.as_ref().is_none_or(|it| it == rotation)
    }

    /// Whether times are asked for in which this person is on call.
    pub(crate) fn takes_person(&self, person: Option<&PersonId>) -> bool {
        let Some(wanted) = &self.person else {
            return true;
        };
        person.is_some_and(|it| it.as_str() == wanted)
    }

    /// How far ahead is asked for, in milliseconds.
    ///
    /// # Errors
    /// When the rotation or the person does not exist, or the weeks are too many.
    pub(crate) fn checked_ms(&self, roster: &Roster) -> Result<u64, String> {
        let weeks = self.weeks.unwrap_or(WEEKS_USUAL);
        if !(1..=WEEKS_MAX).contains(&weeks) {
            return Err(format!("choose 1 to {WEEKS_MAX} weeks"));
        }
        if let Some(name) = &self.rotation
            && !roster.rotations.contains_key(name)
        {
            return Err(roster.no_rotation(name).to_string());
        }
        if let Some(person) = &self.person
            && !roster.people.contains_key(&PersonId::from(person.as_str()))
        {
            return Err(roster.no_person(person));
        }
        Ok(u64::from(weeks) * WEEK_MS)
    }
}

impl SpanLine {
    fn of(span: Span) -> Self {
        Self {
            from: format_time(span.from),
            until: format_time(span.until),
            on_call: span.on_call.map(|it| it.0),
            over: span.over,
            hindrance: span.hindrance.map(Into::into),
            paged: span.paged.map(|it| it.0),
        }
    }

    /// What is unusual about it, for people to read.
    pub(crate) fn note(&self) -> String {
        note(self.over.as_deref(), self.hindrance, self.paged.as_deref())
    }
}

impl RotationLine {
    /// What is unusual about it, for people to read.
    pub(crate) fn note(&self) -> String {
        note(self.over.as_deref(), self.hindrance, self.paged.as_deref())
    }
}

fn note(over: Option<&str>, hindrance: Option<HindranceLine>, paged: Option<&str>) -> String {
    let over = over.map(|id| format!("override {id}"));
    let why = hindrance.map(|it| match it {
        HindranceLine::OutOfOffice => "out of office",
        HindranceLine::Unreachable => "unreachable",
    });
    let instead = match (why, paged) {
        (Some(why), Some(paged)) => Some(format!("{why}: pages {paged}")),
        (_, None) => Some("GAP: pages only the fallback".to_owned()),
        (None, Some(_)) => None,
    };
    let notes: Vec<String> = over.into_iter().chain(instead).collect();
    notes.join(", ")
}

/// A time of the API, in a zone of the API, as people read it.
pub(crate) fn local(time: &str, timezone: &str) -> String {
    let zone = timezone.parse::<chrono_tz::Tz>().unwrap_or_default();
    match crate::time::parse_time(time).flatten() {
        Some(at) => in_zone(zone, at),
        None => time.to_owned(),
    }
}

/// One line per rotation, for chat.
impl fmt::Display for OnCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rotations.is_empty() {
            return f.write_str("there are no rotations");
        }
        let lines = self.rotations.iter().take(LINES_MAX).map(|it| {
            let who: Vec<&str> = it.now.iter().map(|it| it.person.as_str()).collect();
            let who = if who.is_empty() {
                "nobody"
            } else {
                &who.join(", ")
            };
            let until = it.next_handover.as_ref().map(|at| local(at, &it.timezone));
            let until = until.map(|at| format!(" until {at}")).unwrap_or_default();
            noted(format!("{}: {who}{until}", it.rotation), &it.note())
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// One line per override, for chat.
impl fmt::Display for OverrideList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.overrides.is_empty() {
            return f.write_str("there are no overrides");
        }
        let lines = self.overrides.iter().take(LINES_MAX).map(|it| {
            let OverrideLine {
                id,
                rotation,
                person,
                by,
                ..
            } = it;
            let [from, until] = [&it.from, &it.until].map(|at| local(at, &it.timezone));
            let line = format!("{id}: {person} for {rotation} from {from} until {until}, by {by}");
            noted(line, &it.reason)
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

/// One line per time span, for chat.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.rotations.iter().flat_map(|it| {
            it.spans.iter().map(|span| {
                let from = local(&span.from, &it.timezone);
                let who = span.on_call.as_deref().unwrap_or("nobody");
                noted(format!("from {from}: {who}"), &span.note())
            })
        });
        f.write_str(&lines.take(LINES_MAX).collect::<Vec<_>>().join("\n"))
    }
}

fn noted(line: String, note: &str) -> String {
    match note.is_empty() {
        true => line,
        false => format!("{line} ({note})"),
    }
}
