//! The events of a grade set by a person or a policy.

use std::collections::BTreeSet;

use crate::event::Event;
use crate::grading::grade::{Grade, Grading};
use crate::incident::Incident;
use crate::outcome::{Env, Opening, Outcome};
use crate::refusal::Refusal;
use crate::text::bounded;
use crate::{Actor, escalation, limits};

/// A person's grade, and with `replan` the new escalation if the grade is raised. Whether the flag
/// may be cleared is checked here and not before the command, since it may have been set meanwhile.
pub(crate) fn by_hand(
    incident: &Incident,
    (grade, (security, may_declassify), reason): (Grade, (Option<bool>, bool), String),
    replan: Option<&Opening>,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    if incident.grading.security && security == Some(false) && !may_declassify {
        return Err(Refusal::Classified);
    }
    let reason = bounded("reason", reason, limits::REASON_BYTES_MAX)?;
    let event = Event::Graded {
        grade,
        security: security.unwrap_or(incident.grading.security),
        unsure: false,
        reason,
        source: None,
    };
    Ok(Outcome {
        events: match replan {
            Some(opening) => with_plan(incident, event, opening, by, env),
            None => vec![event],
        },
        reply: format!("incident {} is graded {grade}", incident.number),
        ..Outcome::default()
    })
}

/// The events of a verdict on an alert that enters an active incident, or has changed in it: it is
/// of a new kind, or raises something. `before` as for [`settle`].
pub(crate) fn regrade(
    incident: &Incident,
    before: Option<Grading>,
    opening: &Opening,
    env: Env<'_>,
) -> Vec<Event> {
    let events = settle(incident, before, opening);
    match events.iter().any(|it| raises(incident, it)) {
        true => escalation::replan(incident, events, opening, &Actor::Tocsin, env),
        false => events,
    }
}

/// What verdicts lead to. A policy only raises a grade, and never overrides a person's: beyond that
/// it proposes. Its security flag acts whoever graded. `before`: the verdict that stood, which
/// has had its effect, if there is only that; for one of many alerts, `None`.
pub(crate) fn settle(
    incident: &Incident,
    before: Option<Grading>,
    opening: &Opening,
) -> Vec<Event> {
    let (state, verdict) = (&incident.grading, &opening.grading);
    let asked = verdict.value;
    let is_higher = asked.grade > state.grade && before.is_none_or(|it| asked.grade > it.grade);
    let is_lower = asked.grade < state.grade && before.is_some_and(|it| asked.grade < it.grade);
    let is_flagged = asked.security && !state.security && before.is_none_or(|it| !it.security);
    let is_doubted = asked.unsure && state.unsure_since.is_none() && !state.by_person;
    let is_doubted = is_doubted && asked.grade == state.grade && before.is_none_or(|it| !it.unsure);
    let is_settled = state.unsure_since.is_some() && !asked.unsure && before.is_some();
    let has_failed = state.by_fallback || !state.failures.is_empty();
    let sources = [&verdict.source, &opening.plan.source];
    let is_mended = has_failed && sources.iter().all(|it| it.fallback.is_none());
    let raises = is_higher && !state.by_person;
    let mut events = failures(incident, opening);
    if raises || is_flagged || is_mended || is_doubted || is_settled {
        events.push(Event::Graded {
            grade: if raises { asked.grade } else { state.grade },
            security: state.security || is_flagged,
            unsure: match raises {
                true => asked.unsure,
                false => is_doubted || state.unsure_since.is_some() && !is_settled,
            },
            reason: match raises || is_flagged || is_doubted || is_settled {
                true => verdict.reason.clone(),
                false => "the policies answer again".to_owned(),
            },
            source: Some(verdict.source.clone()),
        });
    }
    let differs = is_lower || is_higher && state.by_person;
    if differs && !state.proposed.contains(&asked.grade) {
        events.push(Event::GradeProposed {
            grade: asked.grade,
            reason: verdict.reason.clone(),
            source: Some(verdict.source.clone()),
        });
    }
    events
}

/// The failures of policies that the log does not have yet.
fn failures(incident: &Incident, opening: &Opening) -> Vec<Event> {
    let sources = [&opening.grading.source, &opening.plan.source];
    let reports = sources.into_iter().filter_map(|it| it.fallback.as_ref());
    let new = reports.filter(|it| !incident.grading.failures.contains(*it));
    let new: BTreeSet<&String> = new.collect();
    let failed = |report: &String| Event::PolicyFailed {
        report: report.clone(),
    };
    new.into_iter().map(failed).collect()
}

/// A person's grade event, and the new plan. For a raised grade or a new security flag its first
/// step is taken, also if the plan is the same, unless the incident is acknowledged: then whoever
/// has it is paged. For any other grade the escalation goes on where it has come.
fn with_plan(
    incident: &Incident,
    graded: Event,
    opening: &Opening,
    by: &Actor,
    env: Env<'_>,
) -> Vec<Event> {
    let has_plan = escalation::is_same(&incident.escalation, &opening.plan.value, env.now);
    match raises(incident, &graded) {
        _ if !incident.is_active() => vec![graded],
        true => escalation::replan(incident, vec![graded], opening, by, env),
        false if has_plan => vec![graded],
        false => escalation::go_on(incident, vec![graded], opening, env),
    }
}

/// Whether the event raises the grade or sets the security flag.
pub(crate) fn raises(incident: &Incident, event: &Event) -> bool {
    let state = &incident.grading;
    match event {
        Event::Graded {
            grade, security, ..
        } => *grade > state.grade || *security && !state.security,
        _ => false,
    }
}
