//! Where a question is asked, the answer to it, and the end of one that nobody answered.

use crate::event::{Event, LogDraft, LogKind};
use crate::incident::{Incident, Tally};
use crate::lifecycle::decide as lifecycle;
use crate::outcome::{Env, Named, Opening, Outcome};
use crate::prompts::ask::given_up_at;
use crate::prompts::question::Question;
use crate::prompts::state::{Prompt, PromptState};
use crate::refusal::Refusal;
use crate::roles::Declined;
use crate::text::cut;
use crate::time::span_in_words;
use crate::{Actor, Grade, Timestamp, grading, limits, log, promises, roles, tasks};

/// Why an incident is resolved or mitigated by an answer.
const SOLVED: &str = "nothing fires any more";

/// Somebody answers a question; what the answer does happens with it. `via` is the channel;
/// `replan` is for an answer that sets a grade, `to` for one that passes a role on.
pub(crate) fn answer(
    (incident, tally): (&Incident, &Tally),
    prompt: u32,
    (choice, via): (&str, String),
    (replan, to): (Option<&Opening>, Option<&Named>),
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let asked = incident.prompts.all.get(&prompt);
    let unknown = || Refusal::Invalid("there is no such question, or no longer".to_owned());
    let asked = asked.ok_or_else(unknown)?;
    let wrong = || Refusal::Invalid(format!("`{choice}` is no answer to this question"));
    let chosen = asked.question.choice(choice).ok_or_else(wrong)?;
    match &asked.state {
        PromptState::Open => {}
        // Pressed twice, or delivered twice.
        PromptState::Answered {
            by: first,
            choice: it,
        } if first == by && it == choice => {
            return Ok(Outcome::reply("you have answered".to_owned()));
        }
        // Not as a reply: it would look as if the press had done something.
        PromptState::Answered { by, .. } => {
            return Err(Refusal::Invalid(format!(
                "{by} has answered already; `status` shows how it is"
            )));
        }
        PromptState::Expired | PromptState::Settled => {
            return Err(Refusal::Invalid(
                "this question needs no answer any more; `status` shows how it is".to_owned(),
            ));
        }
    }
    let answered = Event::PromptAnswered {
        prompt,
        choice: choice.to_owned(),
        label: chosen.label.to_owned(),
    };
    let grade = asked.question.grade_of(choice);
    let mut outcome = match (asked.question, choice) {
        (Question::StillOnIt, "yes") => lifecycle::acknowledge(incident, via, by, env)?,
        (Question::StillOnIt, _) => lifecycle::unacknowledge(incident, tally, None)?,
        (Question::Accept(role), "yes") => roles::accept(incident, role, &via, by, env)?,
        (Question::UpdateDue(audience), _) => promises::repeat(incident, audience, by, env)?,
        (Question::TakeTask(task), _) => tasks::take(incident, task, by)?,
        (Question::Accept(role), _) => roles::refuse(incident, role, by)?,
        (Question::Grade | Question::Regrade(_), _) => match grade {
            Some(grade) => graded(incident, grade, chosen.label, replan, by, env)?,
            None => Outcome::reply(format!("it stays {}", incident.grading.grade)),
        },
        (Question::Approach, _) => {
            let label = chosen.label.to_owned();
            log::write(LogDraft::of(LogKind::Decided, label), env.now)?
        }
        (Question::Solved, "yes") => lifecycle::resolve(incident, tally, SOLVED.into(), env),
        (Question::Solved, "mitigated") => lifecycle::mitigate(incident, SOLVED.into())?,
        (Question::HandOver, "yes") => roles::hand_over(incident, to, &via, by, env)?,
        (Question::HandOver, _) => Outcome::reply("you stay the operator".to_owned()),
        (Question::Solved, _) => lifecycle::acknowledge(incident, via, by, env)?,
    };
    outcome.events.insert(0, answered);
    Ok(outcome)
}

/// A person answers how bad it is.
fn graded(
    incident: &Incident,
    grade: Grade,
    label: &str,
    replan: Option<&Opening>,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let reason = match incident.grading.rise {
        Some((rise, _)) if rise == grade => "as a policy proposed".to_owned(),
        _ => format!("answered: {label}"),
    };
    grading::by_hand(incident, (grade, (None, false), reason), replan, by, env)
}

/// A channel accepted a question, maybe one that needs no answer any more: then its buttons go.
pub(crate) fn accepted(
    incident: &Incident,
    prompt: u32,
    contact: u32,
    others: u32,
) -> Result<Outcome, Refusal> {
    let asked = incident.prompts.all.get(&prompt);
    asked
        .filter(|it| !it.accepted.contains(&contact))
        .ok_or(Refusal::Stale("the question"))?;
    Ok(Outcome::of(vec![Event::PromptAccepted {
        prompt,
        contact,
        others,
    }]))
}

/// A channel rejected a question.
pub(crate) fn failed(
    incident: &Incident,
    prompt: u32,
    contact: u32,
    reason: String,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let asked = incident.prompts.all.get(&prompt);
    let asked = asked.filter(|it| it.is_wanted_at(contact));
    let asked = asked.ok_or(Refusal::Stale("the question"))?;
    let reason = cut(reason, limits::REASON_BYTES_MAX);
    Ok(and_what_follows(
        incident,
        asked,
        redirected(prompt, asked, reason, env),
    ))
}

/// No channel accepted a question in time, or nobody answered it. `held_until`: when it leaves at
/// the latest, while it waits to go out with others; its channel has no less time for that. If the
/// daemon was down meanwhile, the wait restarts too.
pub(crate) fn due(
    incident: &Incident,
    prompt: u32,
    due: Timestamp,
    held_until: Option<Timestamp>,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let asked = incident.prompts.all.get(&prompt);
    let asked = asked.filter(|it| it.is_open() && it.due() == due);
    let asked = asked.ok_or(Refusal::Stale("the question"))?;
    let was_down = env.now.since(due) > limits::QUESTION_CONTACT_WAIT_MS;
    let event = match held_until.or(was_down.then_some(env.now)) {
        _ if asked.expires_at == due => Event::PromptExpired { prompt },
        Some(from) => Event::PromptRebased {
            prompt,
            next_contact_at: given_up_at(from.max(env.now)),
        },
        None => {
            let wait = span_in_words(limits::QUESTION_CONTACT_WAIT_MS);
            let reason = format!("no channel accepted it within {wait}");
            redirected(prompt, asked, reason, env)
        }
    };
    Ok(and_what_follows(incident, asked, event))
}

/// An event of a question, and what follows if nobody answers it any more.
fn and_what_follows(incident: &Incident, asked: &Prompt, event: Event) -> Outcome {
    let why = match &event {
        Event::PromptExpired { .. } => Some(Declined::Silent),
        Event::PromptRedirected { contact: None, .. } if asked.accepted.is_empty() => {
            Some(Declined::Unreached)
        }
        _ => None,
    };
    let mut outcome = Outcome::of(vec![event]);
    if let (Question::Accept(role), Some(why)) = (asked.question, why) {
        let declined = roles::decline(incident, role, why);
        outcome.events.extend(declined.events);
    }
    outcome
}

fn redirected(prompt: u32, asked: &Prompt, reason: String, env: Env<'_>) -> Event {
    let next = asked.contact.saturating_add(1);
    let contact = Some(next).filter(|it| (*it as usize) < asked.contacts.len());
    Event::PromptRedirected {
        prompt,
        reason,
        contact,
        next_contact_at: contact.map(|_| given_up_at(env.now)),
    }
}
