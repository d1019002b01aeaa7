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
use crate::{Actor, PersonId, PolicySource, Status, Timestamp, Verdict, limits};

/// What is said when there is no news.
const NOTHING_NEW: &str = "There is nothing new yet. We are still working on it.";

/// When an audience hears more.
#[derive(Debug)]
pub(crate) enum Next {
    /// So many milliseconds later.
    In(u64),
    /// As the communication policy says, if it was asked.
    AsPolicy(Option<Verdict<Cadence>>),
}

/// Somebody tells an audience how it goes. An incident that is over needs no next update.
pub(crate) fn post(
    incident: &Incident,
    (audience, body, next): (Audience, String, Next),
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    must_speak(incident, audience, by)?;
    let body = bounded("update", body, limits::UPDATE_BYTES_MAX)?;
    let (next_ms, verdict) = match next {
        Next::In(ms) => (Some(checked_wait(ms)?), None),
        Next::AsPolicy(_) if !incident.is_active() => (None, None),
        Next::AsPolicy(verdict) => {
            let verdict = verdict.ok_or(Refusal::NeedsVerdict)?;
            (Some(wait_for(audience, &verdict)?), Some(verdict))
        }
    };
    let settled = incident.promises.open.get(&audience);
    let settled = settled.filter(|it| it.stage != PromiseStage::Broken);
    let settled = settled.map(|it| Event::PromiseSettled {
        audience,
        due: it.due,
        outcome: it.outcome_at(env.now),
    });
    let promised = match (next_ms.map(span_in_words), &verdict) {
        (Some(next), None) => format!("the next update is due in {next}"),
        (Some(next), Some(verdict)) => {
            let why = why(incident, verdict);
            format!("the next update is due in {next}{why} (`next 30m` at the end says otherwise)")
        }
        (None, _) => "no other update is promised".to_owned(),
    };
    let told = match incident.tells(audience) {
        true => "is told",
        false => "would be told, but this is a drill",
    };
    let (reason, source) = verdict.map(|it| (it.reason, it.source)).unzip();
    let mut events: Vec<Event> = settled.into_iter().collect();
    events.push(Event::UpdatePosted {
        audience,
        body,
        next_at: next_ms.map(|ms| env.now.plus_ms(ms)),
        reason: reason.unwrap_or_default(),
        source,
    });
    Ok(Outcome {
        events,
        reply: format!("{audience} {told}; {promised}"),
        ..Outcome::default()
    })
}

/// How long an audience waits by the policy, in milliseconds.
fn wait_for(audience: Audience, verdict: &Verdict<Cadence>) -> Result<u64, Refusal> {
    let every = verdict.value.every_ms.get(&audience).copied();
    every.ok_or_else(|| {
        let place = verdict.source.place();
        Refusal::Invalid(format!(
            "{place} does not say when {audience} hears more; say it yourself with `next 30m` at \
             the end"
        ))
    })
}

/// Why an audience waits that long. The reason of a security incident is for people with clearance
/// only, whom the log shows it.
fn why(incident: &Incident, verdict: &Verdict<Cadence>) -> String {
    let reason = &verdict.reason;
    match incident.grading.security {
        true => ", as the policy says".to_owned(),
        false if verdict.source.file == PolicySource::BUILTIN => format!(": {reason}"),
        false => format!(", as the policy says: {reason}"),
    }
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
    let promise = promise.ok_or(Refusal::Stale("the promise"))?;
    if !incident.is_active() {
        let (number, status) = (incident.number, incident.lifecycle.status);
        return Err(Refusal::Invalid(format!(
            "incident {number} is {status}, so there is news: `update {audience} TEXT`"
        )));
    }
    let next = Next::In(promise.due.since(promise.made_at));
    post(incident, (audience, NOTHING_NEW.to_owned(), next), by, env)
}

/// The promises that an incident takes over of one that is merged into it: whoever waits for news
/// hears it from here, and of two promises the earlier one counts.
pub(crate) fn taken_over(from: &Incident, into: &Incident) -> Vec<Event> {
    let is_earlier = |(audience, promise): &(&Audience, &Promise)| {
        let own = into.promises.open.get(audience);
        own.is_none_or(|own| promise.due < own.due)
    };
    let all = from.promises.open.iter().filter(is_earlier);
    let event = |(audience, promise): (&Audience, &Promise)| Event::PromiseTakenOver {
        audience: *audience,
        promise: *promise,
    };
    all.map(event).collect()
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

/// Refuses an update by anybody but who speaks for the incident. Once a promise is broken the
/// operator may speak too, as they are asked to.
fn must_speak(incident: &Incident, audience: Audience, by: &Actor) -> Result<(), Refusal> {
    let (number, status) = (incident.number, incident.lifecycle.status);
    if status == Status::Closed {
        return Err(Refusal::NotActive {
            number,
            status,
            remedy: "nobody waits for an update about it any more",
        });
    }
    let speaker = incident.roles.speaker();
    let promise = incident.promises.open.get(&audience);
    let is_broken = promise.is_some_and(|it| it.stage == PromiseStage::Broken);
    let operator = incident.roles.operator.as_ref().filter(|_| is_broken);
    if by
        .person()
        .is_some_and(|it| [speaker, operator].contains(&Some(it)))
    {
        return Ok(());
    }
    let you = by.person().map_or("YOUR-ID", PersonId::as_str);
    let is_operator = by.person().is_some() && by.person() == incident.roles.operator.as_ref();
    let take = format!("`handoff spokesperson {you}`");
    Err(Refusal::Invalid(
        match incident.roles.of(Role::Spokesperson) {
            // Whoever operates does not speak too.
            Some(who) if is_operator => format!(
                "only {who}, the spokesperson, sends updates; to ask somebody else to, \
                 `handoff spokesperson PERSON`"
            ),
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
    let wrong = "the next update comes in 5m to 7d; end with a time such as `next 30m`";
    let wrong = || Refusal::Invalid(wrong.to_owned());
    bounds.contains(&ms).then_some(ms).ok_or_else(wrong)
}
