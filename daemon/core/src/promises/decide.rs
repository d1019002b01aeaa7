//! Who may speak to an audience, and what happens when it has waited long enough.

use crate::event::Event;
use crate::incident::Incident;
use crate::outcome::{Env, Named, Outcome};
use crate::promises::audience::Audience;
use crate::promises::cadence::Cadence;
use crate::promises::promise::{Promise, PromiseOutcome, PromiseStage};
use crate::prompts::{Question, ask};
use crate::refusal::Refusal;
use crate::roles::Role;
use crate::text::bounded;
use crate::time::span_in_words;
use crate::{Actor, PersonId, Status, Timestamp, limits};

/// What is said when there is no news.
const NOTHING_NEW: &str = "There is nothing new yet. We are still working on it.";

/// Somebody tells an audience how it goes. `next_ms`: when they hear more; without, as usual for
/// the grade. An incident that is over needs no next one.
pub(crate) fn post(
    incident: &Incident,
    (audience, body, next_ms): (Audience, String, Option<u64>),
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    must_speak(incident, by)?;
    let body = bounded("update", body, limits::UPDATE_BYTES_MAX)?;
    let usual = Some(Cadence::usual(incident.grading.grade));
    let usual = usual.filter(|_| incident.is_active() && next_ms.is_none());
    let usual = usual.and_then(|it| it.every_ms.get(&audience).copied());
    let next_ms = next_ms.map(checked_wait).transpose()?.or(usual);
    let next_at = next_ms.map(|ms| env.now.plus_ms(ms));
    let settled = incident.promises.open.get(&audience);
    let settled = settled.filter(|it| it.stage != PromiseStage::Broken);
    let settled = settled.map(|it| Event::PromiseSettled {
        audience,
        due: it.due,
        outcome: it.outcome_at(env.now),
    });
    let mut events: Vec<Event> = settled.into_iter().collect();
    events.push(Event::UpdatePosted {
        audience,
        body,
        next_at,
        usual: usual.is_some(),
    });
    let next = next_ms.map(span_in_words);
    let reply = match (next, usual) {
        (Some(next), None) => format!("{audience} is told; the next update is due in {next}"),
        (Some(next), Some(_)) => format!(
            "{audience} is told; the next update is due in {next}, as usual for the grade (`next \
             30m` at the end says otherwise)"
        ),
        (None, _) => format!("{audience} is told; no other update is promised"),
    };
    Ok(Outcome {
        events,
        reply,
        ..Outcome::default()
    })
}

/// Somebody tells an audience that there is nothing new, and promises the next update for as long
/// as the last time.
pub(crate) fn repeat(
    incident: &Incident,
    audience: Audience,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let promise = incident.promises.open.get(&audience);
    let wait_ms = promise.map(|it| it.due.since(it.made_at));
    let wait_ms = wait_ms.filter(|_| incident.is_active());
    post(
        incident,
        (audience, NOTHING_NEW.to_owned(), wait_ms),
        by,
        env,
    )
}

/// A promise is due soon, is due, or has been for too long. `people`: whoever speaks for the
/// incident and whoever operates, looked up now.
pub(crate) fn due(
    incident: &Incident,
    audience: Audience,
    due: Timestamp,
    people: &[Named],
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let promise = incident.promises.open.get(&audience);
    let promise = promise.filter(|it| it.next() == Some(due) && due <= env.now);
    let promise = promise.ok_or(Refusal::Stale("the promise"))?;
    let stage = promise.stage_at(env.now);
    let mut events = vec![match stage {
        PromiseStage::Broken => Event::PromiseSettled {
            audience,
            due: promise.due,
            outcome: PromiseOutcome::Broken,
        },
        stage => Event::UpdateAwaited { audience, stage },
    }];
    if let Some(whom) = whom(incident, stage) {
        let named = people.iter().find(|it| it.id == *whom);
        // They changed since they were looked up.
        let person = named.ok_or(Refusal::OtherStep)?.reachable();
        let until = answer_until(promise, stage);
        let question = Question::UpdateDue(audience);
        let asked = person.and_then(|it| ask(incident, it, question, until, env));
        events.extend(asked);
    }
    Ok(Outcome::of(events))
}

/// Whom a promise reminds: whoever speaks, and once it is broken the operator.
fn whom(incident: &Incident, stage: PromiseStage) -> Option<&PersonId> {
    let speaker = incident.roles.speaker();
    match stage {
        PromiseStage::Broken => incident.roles.operator.as_ref().or(speaker),
        _ => speaker,
    }
}

/// Until when the question for an update waits.
fn answer_until(promise: &Promise, stage: PromiseStage) -> Timestamp {
    let over = promise.due.plus_ms(limits::PROMISE_GRACE_MS);
    match stage {
        PromiseStage::Broken => over.plus_ms(limits::PROMPT_WAIT_MS),
        _ => over,
    }
}

/// Refuses an update by anybody but who speaks for the incident.
fn must_speak(incident: &Incident, by: &Actor) -> Result<(), Refusal> {
    let (number, status) = (incident.number, incident.lifecycle.status);
    if status == Status::Closed {
        return Err(Refusal::NotActive {
            number,
            status,
            remedy: "nobody waits for an update about it any more",
        });
    }
    let speaker = incident.roles.speaker();
    if speaker.is_some() && by.person() == speaker {
        return Ok(());
    }
    let you = by.person().map_or("YOUR-ID", PersonId::as_str);
    let take = format!("`handoff spokesperson {you}`");
    Err(Refusal::Invalid(
        match incident.roles.of(Role::Spokesperson) {
            Some(who) => {
                format!("only {who}, the spokesperson, sends updates; to take over, {take}")
            }
            None => match &incident.roles.operator {
                Some(who) => format!("only {who}, the operator, sends updates; to speak, {take}"),
                None => format!("nobody speaks for this incident yet; to do so, {take}"),
            },
        },
    ))
}

fn checked_wait(ms: u64) -> Result<u64, Refusal> {
    let bounds = limits::PROMISE_MS_MIN..=limits::PROMISE_MS_MAX;
    let span = span_in_words(ms);
    let wrong = || Refusal::Invalid(format!("the next update comes in 5m to 7d, not in {span}"));
    bounds.contains(&ms).then_some(ms).ok_or_else(wrong)
}
