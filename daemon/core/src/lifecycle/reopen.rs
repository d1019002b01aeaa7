//! An incident that was resolved goes on.

use crate::event::Event;
use crate::incident::{Incident, Tally};
use crate::lifecycle::status::Status;
use crate::outcome::{Env, Opening, Outcome};
use crate::refusal::Refusal;
use crate::text::cut;
use crate::{Actor, escalation, limits};

/// A person reopens it with a reason, or the reopen timer fired. `rival`: whether another incident
/// under its key is active.
pub(crate) fn reopen(
    (incident, tally): (&Incident, &Tally),
    reason: Option<String>,
    looked_up: (Option<&Opening>, bool),
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    match reason {
        Some(reason) => by_hand((incident, tally), reason, looked_up, by, env),
        None => due(incident, tally, looked_up, env),
    }
}

/// Its escalation starts again.
fn by_hand(
    (incident, tally): (&Incident, &Tally),
    reason: String,
    (opening, rival): (Option<&Opening>, bool),
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let number = incident.number;
    let refused = |why: String| Err(Refusal::Invalid(format!("incident {number} {why}")));
    if let Some(into) = &incident.lifecycle.merged_into {
        let into = into.number;
        return refused(format!("is part of incident {into}; go on there"));
    }
    match incident.lifecycle.status {
        Status::Resolved => {}
        status @ (Status::Open | Status::Mitigated) => {
            return Ok(Outcome::reply(format!("incident {number} is {status}")));
        }
        Status::Closed => {
            return refused("is closed for good; open another, as in `open TITLE`".to_owned());
        }
    }
    if rival {
        return refused(
            "stays resolved, as its alerts have another incident that is open; go on there, \
             `status` shows which"
                .to_owned(),
        );
    }
    let reason = cut(reason, limits::REASON_BYTES_MAX);
    let reopened = vec![Event::Reopened { reason }];
    Ok(Outcome {
        events: again(incident, reopened, opening, by, env),
        reply: format!("incident {number} is open again; the escalation starts again"),
        tally: Some(Tally {
            reopen_due: None,
            // That nothing fires is known; a person says when it is over.
            clear_due: None,
            reopened: tally.counts.firing == 0,
            ..tally.clone()
        }),
        ..Outcome::default()
    })
}

/// An incident that a person resolved reopens, as its alerts still fire `reopen_within_ms` later.
/// Beside a rival it waits as long again.
fn due(
    incident: &Incident,
    tally: &Tally,
    (opening, rival): (Option<&Opening>, bool),
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let is_due = tally.reopen_due.is_some_and(|due| due <= env.now);
    if incident.is_active() || !is_due {
        return Err(Refusal::Stale("the reopen timer"));
    }
    let later = env.now.plus_ms(env.delays.reopen_within_ms);
    let tally = Tally {
        reopen_due: rival.then_some(later),
        ..tally.clone()
    };
    let firing = match tally.counts.firing {
        1 => "an alert still fires".to_owned(),
        firing => format!("{firing} alerts still fire"),
    };
    let reason = format!("{firing}{}", incident.resolved_by_whom(env.now));
    let reopened = vec![Event::Reopened { reason }];
    let events = match rival {
        true => Vec::new(),
        false => again(incident, reopened, opening, &Actor::Tocsin, env),
    };
    Ok(Outcome {
        events,
        tally: Some(tally),
        ..Outcome::default()
    })
}

/// The events of reopening, with the plan that applies now.
fn again(
    incident: &Incident,
    reopened: Vec<Event>,
    opening: Option<&Opening>,
    by: &Actor,
    env: Env<'_>,
) -> Vec<Event> {
    match opening {
        Some(opening) => escalation::replan(incident, reopened, opening, by, env),
        None => reopened,
    }
}
