//! Which changes may have caused an incident, which are made while it is open, and what people say
//! of them.

use crate::changes::change::ChangeBrief;
use crate::changes::state::{ChangeStatus, Changes};
use crate::event::Event;
use crate::incident::Incident;
use crate::outcome::{Env, Outcome};
use crate::refusal::Refusal;
use crate::text::bounded;
use crate::{Timestamp, limits};

/// What happens about a change.
#[derive(Clone, Debug, PartialEq)]
pub enum AboutChange {
    /// A sender reports one to a service of the incident.
    Reported(ChangeBrief),
    /// A person says whether it caused the incident.
    Judged {
        /// Its number within the incident.
        number: u32,
        caused: bool,
        /// Why, or what else there is to say.
        text: Option<String>,
    },
}

/// The services whose changes are looked up, as these events open an incident, or open it again;
/// none of a drill, which no real change has caused.
#[must_use]
pub fn services_of_opening(before: Option<&Incident>, events: &[Event]) -> Vec<String> {
    let is_reopened = events.iter().any(|it| matches!(it, Event::Reopened { .. }));
    match (before, events.first()) {
        (None, Some(Event::Opened(opened))) if !opened.drill => vec![opened.service.clone()],
        (Some(before), _) if is_reopened => before.services(),
        _ => Vec::new(),
    }
}

/// Of the last changes to the services of an incident that opens, those in the time before it, the
/// newest first. One that opens again was not caused again by those that it knows, nor by those
/// before it opened the last time.
#[must_use]
pub fn suspected(before: Option<&Incident>, changes: &[ChangeBrief], env: Env<'_>) -> Vec<Event> {
    let from = env.now.minus_ms(env.delays.suspect_within_ms);
    let known = before.map(|it| (&it.changes, it.lifecycle.active_since));
    let is_new =
        |it: &&ChangeBrief| known.is_none_or(|(known, since)| it.at > since && !known.has(&it.id));
    let mut found: Vec<&ChangeBrief> = changes
        .iter()
        .filter(|it| env.delays.suspect_within_ms > 0 && it.at >= from)
        .filter(is_new)
        .collect();
    found.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    found.dedup_by(|a, b| a.id == b.id);
    let last = known.map_or(0, |(known, _)| known.last());
    let room = limits::CHANGES_MAX.saturating_sub(known.map_or(0, |it| it.0.all.len()));
    let listed = found.len().min(limits::SUSPECTS_MAX).min(room);
    let more = u32::try_from(found.len() - listed).unwrap_or(u32::MAX);
    let listed = found.into_iter().take(listed);
    let mut events: Vec<Event> = (last + 1..)
        .zip(listed)
        .map(|(number, change)| Event::ChangeSuspected {
            number,
            change: change.clone(),
            more: 0,
        })
        .collect();
    if let Some(Event::ChangeSuspected { more: left, .. }) = events.last_mut() {
        *left = more;
    }
    events
}

/// What an incident takes over of the changes of one that is merged into it: those that are not
/// cleared, as people have to judge anew what caused the whole.
pub(crate) fn taken_over(from: &Incident, into: &Incident) -> Vec<Event> {
    let mut changes = into.changes.clone();
    let mut events = Vec::new();
    let listed = from.changes.all.values();
    for it in listed.filter(|it| it.status != ChangeStatus::Cleared) {
        let event = listing(&changes, &it.brief, into.lifecycle.active_since);
        event.iter().for_each(|event| changes.fold(event));
        events.extend(event);
    }
    events
}

pub(crate) fn about(
    incident: &Incident,
    about: AboutChange,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    match about {
        AboutChange::Reported(change) => Ok(reported(incident, &change, env)),
        AboutChange::Judged {
            number,
            caused,
            text,
        } => judged(incident, number, caused, text),
    }
}

/// Nothing happens if the incident is over, knows the change, or if that is from long before.
fn reported(incident: &Incident, change: &ChangeBrief, env: Env<'_>) -> Outcome {
    let opened = incident.lifecycle.active_since;
    let within_ms = env.delays.suspect_within_ms;
    let is_near = change.at > opened || within_ms > 0 && change.at >= opened.minus_ms(within_ms);
    if !incident.notes_changes() || !is_near {
        return Outcome::default();
    }
    let listed = listing(&incident.changes, change, opened);
    Outcome::of(listed.into_iter().collect())
}

/// `None` if the incident lists the change already, or too many.
fn listing(changes: &Changes, change: &ChangeBrief, opened: Timestamp) -> Option<Event> {
    if changes.has(&change.id) || changes.is_full() {
        return None;
    }
    let (number, change) = (changes.last() + 1, change.clone());
    Some(match change.at > opened {
        true => Event::ChangeMade { number, change },
        false => Event::ChangeSuspected {
            number,
            change,
            more: 0,
        },
    })
}

fn judged(
    incident: &Incident,
    number: u32,
    caused: bool,
    text: Option<String>,
) -> Result<Outcome, Refusal> {
    let (status, verb) = match caused {
        true => (ChangeStatus::Confirmed, "confirm"),
        false => (ChangeStatus::Cleared, "clear"),
    };
    let changes = &incident.changes;
    let found = changes.all.get(&number);
    let found = found.ok_or_else(|| Refusal::Invalid(no_change(number, verb, changes)))?;
    let text = text.filter(|it| !it.trim().is_empty());
    if found.status == status && text.is_none() {
        let reply = format!("change {number} is already {}", status.as_str());
        return Ok(Outcome::reply(reply));
    }
    let text = text.map(|it| bounded("text", it, limits::REASON_BYTES_MAX));
    let text = text.transpose()?.unwrap_or_default();
    // Whoever says it may not see what it is about.
    let reply = format!("change {number} is {}", status.as_str());
    let event = match caused {
        true => Event::ChangeConfirmed { number, text },
        false => Event::ChangeCleared { number, text },
    };
    Ok(Outcome {
        events: vec![event],
        reply,
        ..Outcome::default()
    })
}

fn no_change(number: u32, verb: &str, changes: &Changes) -> String {
    match changes.last() {
        0 => format!(
            "there is no change {number}, as no change to its service is known; `log` adds what \
             happened"
        ),
        1 => format!("there is no change {number}; type `{verb} 1`, which is the only one"),
        last => {
            format!("there is no change {number}; type a number from 1 to {last}, as in `{verb} 1`")
        }
    }
}

impl Incident {
    /// Whether a change to any of these services is noted in it.
    #[must_use]
    pub fn is_concerned_by(&self, services: &[String]) -> bool {
        self.notes_changes() && self.services().iter().any(|it| services.contains(it))
    }

    fn notes_changes(&self) -> bool {
        self.is_active() && !self.about.drill
    }

    /// The services whose changes concern it: its own, and those of what was merged into it.
    #[must_use]
    pub fn services(&self) -> Vec<String> {
        let own = std::iter::once(&self.about.service);
        let others = self.changes.services.iter();
        let others = others.filter(|it| **it != self.about.service);
        own.chain(others)
            .filter(|it| !it.is_empty())
            .cloned()
            .collect()
    }
}
