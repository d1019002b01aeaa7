//! Pauses the escalation of an incident while a silence matches each of its firing alerts.

use crate::Actor;
use crate::event::Event;
use crate::incident::{Incident, Tally};
use crate::outcome::{Env, Outcome};
use crate::paging::PageState;

/// Adds what follows from an outcome's counts of firing and silenced alerts: the escalation pauses
/// when all are silenced, and resumes when one is not. While none fires, it stays as it is. `why`
/// it would resume.
pub(crate) fn pause_or_resume(
    (incident, tally): (&Incident, &Tally),
    outcome: &mut Outcome,
    why: &str,
    env: Env<'_>,
) {
    if outcome.is_reply() {
        return;
    }
    let tally = outcome.tally.as_ref().unwrap_or(tally);
    let (is_silenced, is_heard) = (tally.is_silenced(), tally.is_heard());
    let may_resume = is_heard && incident.escalation.silenced;
    if !is_silenced && !may_resume {
        return;
    }
    let after = incident.after(&outcome.events, &Actor::Tocsin, env.now);
    let after = after.after(&outcome.follow_ups, &Actor::Tocsin, env.now);
    let event = match (after.is_unanswered(), after.escalation.silenced) {
        (true, false) if is_silenced => Event::Silenced {
            by: tally.silences.clone(),
        },
        (_, true) if is_heard => resume(&after, why, env),
        _ => return,
    };
    outcome.follow_ups.push(event);
}

/// The wait of the step that was taken last begins again. If the pause ended a page of it before it
/// reached its person, that step is taken again at once, and so is the first if none was taken.
fn resume(incident: &Incident, why: &str, env: Env<'_>) -> Event {
    let escalation = &incident.escalation;
    let mut of_step = incident.paging.of_step();
    let was_cut = of_step.any(|it| it.state == PageState::Settled && !it.is_accepted());
    let steps = u32::try_from(escalation.plan.steps.len()).unwrap_or(u32::MAX);
    let taken = escalation.next_step.min(steps).checked_sub(1);
    let (next_step, wait_ms) = match taken {
        Some(step) if was_cut => (step, 0),
        Some(step) => {
            let wait_ms = escalation.plan.wait_ms(step as usize, escalation.round);
            (escalation.next_step, wait_ms)
        }
        None => (escalation.next_step, 0),
    };
    Event::Unsilenced {
        reason: why.to_owned(),
        next_step,
        next_at: escalation.plan.due(next_step, env.now.plus_ms(wait_ms)),
    }
}
