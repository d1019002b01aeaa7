//! The events of a new escalation plan, and of taking a step that is due.

use crate::escalation::go_on::position;
use crate::escalation::plan::{Position, Step};
use crate::event::Event;
use crate::incident::Incident;
use crate::outcome::{Env, Opening, Outcome, Responders};
use crate::refusal::Refusal;
use crate::{Actor, Timestamp, limits, paging};

/// `events`, which call for a new plan, followed by that plan and its first step, unless that is
/// for later or the incident is acknowledged or silenced.
pub(crate) fn replan(
    incident: &Incident,
    events: Vec<Event>,
    opening: &Opening,
    by: &Actor,
    env: Env<'_>,
) -> Vec<Event> {
    plan_from(None, incident, events, opening, by, env)
}

/// As [`replan`], with a plan that nobody asked to begin anew: it goes on where the one before has
/// come, and nobody is paged later for it.
pub(crate) fn go_on(
    incident: &Incident,
    events: Vec<Event>,
    opening: &Opening,
    env: Env<'_>,
) -> Vec<Event> {
    let position = position(&incident.escalation, &opening.plan.value, env.now);
    let position = position.filter(|_| incident.is_unanswered());
    plan_from(position, incident, events, opening, &Actor::Tocsin, env)
}

fn plan_from(
    goes_on: Option<Position>,
    incident: &Incident,
    mut events: Vec<Event>,
    opening: &Opening,
    by: &Actor,
    env: Env<'_>,
) -> Vec<Event> {
    let plan = opening.plan.clone();
    events.push(Event::Planned {
        plan: plan.value,
        reason: plan.reason,
        source: plan.source,
        goes_on,
    });
    let after = incident.after(&events, by, env.now);
    // Whom a later step pages is looked up when its timer fires, which is at once.
    if after.escalation.is_due(env.now) && after.escalation.next_step == 0 {
        let has_risen = after.grading.grade > incident.grading.grade;
        events.extend(take_step(&after, &opening.responders, has_risen, env));
    }
    events
}

/// The events of taking the plan's next step: the step, and a page to each responder without a
/// page in progress, or `anew`. Empty when the plan is empty.
pub(crate) fn take_step(
    incident: &Incident,
    responders: &Responders,
    anew: bool,
    env: Env<'_>,
) -> Vec<Event> {
    let escalation = &incident.escalation;
    let Some(last) = escalation.plan.steps.len().checked_sub(1) else {
        return Vec::new();
    };
    let next = escalation.next_step as usize;
    let (step, round) = if next > last {
        (last, escalation.round.saturating_add(1))
    } else {
        (next, escalation.round)
    };
    let wait_ms = escalation.plan.wait_ms(step, round);
    let pages = !escalation.plan.steps[step].page.is_empty();
    let step = u32::try_from(step).unwrap_or(u32::MAX);
    let from = env.now.plus_ms(wait_ms);
    let waits = (!pages).then(|| "it only waits".to_owned());
    let mut events = vec![Event::Escalated {
        step,
        round,
        next_at: escalation.plan.due(step + 1, from).unwrap_or(from),
        note: responders.note.clone().or(waits),
    }];
    let people = responders.people.iter().take(limits::STEP_PEOPLE_MAX);
    let why = if anew {
        paging::Why::News
    } else {
        paging::Why::Step
    };
    events.extend(paging::page_all(incident, people, step, why, env));
    events
}

/// Takes the step that is due. `steps`: those that responders were looked up for; whoever looked
/// may not have seen that the plan has changed or started again. Nobody waits for people who have
/// withdrawn, so a step that reaches nobody else is followed by the next at once.
pub(crate) fn step_due(
    incident: &Incident,
    due: Timestamp,
    steps: Vec<(Step, Responders)>,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    if !incident.is_unanswered() || incident.escalation.due != Some(due) || env.now < due {
        return Err(Refusal::Stale("the escalation"));
    }
    if !incident.escalation.ahead().eq(steps.iter().map(|it| &it.0)) {
        return Err(Refusal::OtherStep);
    }
    let mut events = Vec::new();
    let mut later = steps.into_iter().peekable();
    let mut responders = later.next();
    while let Some((_, mut step)) = responders.take() {
        if let Some(why) = why_not_waited_for(incident, &step) {
            responders = later.next_if(|(next, _)| next.at.is_none_or(|at| at <= env.now));
            if responders.is_some() {
                let goes_on = format!("{why}, so the next step follows at once");
                step.note = Some(match step.note {
                    Some(note) => format!("{note}; {goes_on}"),
                    None => goes_on,
                });
            }
        }
        let before = incident.after(&events, &Actor::Tocsin, env.now);
        events.extend(take_step(&before, &step, false, env));
    }
    Ok(Outcome::of(events))
}

/// Why nobody waits for the step, if somebody withdrew and it reaches nobody else.
fn why_not_waited_for(incident: &Incident, step: &Responders) -> Option<String> {
    let withdrawn = &incident.escalation.withdrawn;
    let reached = step.people.iter().filter(|it| !it.contacts.is_empty());
    let reached: Vec<_> = reached.map(|it| &it.id).collect();
    if withdrawn.is_empty() || !reached.iter().all(|it| withdrawn.contains(*it)) {
        return None;
    }
    Some(if reached.is_empty() {
        "it reaches nobody".to_owned()
    } else {
        let names: Vec<_> = reached.iter().map(|it| it.as_str()).collect();
        format!("{} withdrew", names.join(" and "))
    })
}
