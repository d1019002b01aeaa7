//! What happens when an acknowledgement no longer holds, and how somebody holds it longer or passes
//! the incident on.

use crate::escalation::hold::HoldStage;
use crate::event::Event;
use crate::incident::{Incident, Tally};
use crate::lifecycle::{decide as lifecycle, must_be_active};
use crate::outcome::{Env, Named, Outcome};
use crate::paging::decide::{Why, page_all, reached};
use crate::prompts::{Prompt, Question};
use crate::refusal::Refusal;
use crate::time::span_in_words;
use crate::{Actor, Person, Timestamp, limits, prompts};

/// The time of a hold is over. `operator`: whoever has the incident.
pub(crate) fn hold_due(
    incident: &Incident,
    tally: &Tally,
    due: Timestamp,
    operator: Option<&Named>,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let operator = operator.and_then(Named::reachable);
    let is_heard = tally.wants_response();
    let is_due = incident.hold_due(tally) == Some(due) && due <= env.now;
    let hold = incident.escalation.hold;
    let hold = hold.filter(|_| is_due && incident.is_active());
    let hold = hold.ok_or(Refusal::Stale("the hold"))?;
    let who = incident.roles.operator.as_ref();
    let who = who.map_or("nobody".to_owned(), ToString::to_string);
    let questions = incident.prompts.all.values();
    let is_it = |it: &&Prompt| it.question == Question::StillOnIt && it.expires_at == hold.until;
    let mut questions = questions.filter(is_it);
    let was_asked = questions.any(|it| !it.accepted.is_empty());
    let can_ask = |it: &Person| it.contacts.iter().any(|it| env.channels.ask(&it.kind));
    let begins_anew = |why: String| Outcome::of(vec![Event::HoldExpired { reason: why }]);
    Ok(match hold.stage {
        // Nobody is paged for it: the question stays until the time of another hold is over.
        HoldStage::Holds | HoldStage::Asked if !is_heard => {
            asked(incident, operator, incident.hold_ms(), env)
        }
        HoldStage::Holds if !operator.is_some_and(can_ask) => {
            let held = span_in_words(incident.hold_ms());
            begins_anew(format!("{who} has it for {held}, and cannot be asked"))
        }
        HoldStage::Holds => asked(incident, operator, limits::PROMPT_WAIT_MS, env),
        HoldStage::Asked if was_asked => {
            begins_anew(format!("{who} has not said that they are still on it"))
        }
        HoldStage::Asked => begins_anew(format!(
            "{who} could not be asked whether they are still on it"
        )),
        HoldStage::Risen => match operator {
            Some(operator) => paged(incident, operator, env),
            None => begins_anew(format!("it has risen, and {who} has it")),
        },
        HoldStage::Paged => begins_anew(format!("{who} has not confirmed that it has risen")),
        HoldStage::PassedOn => begins_anew("nobody has answered since it was passed on".to_owned()),
        HoldStage::Snoozed => begins_anew("the snooze is over".to_owned()),
    })
}

impl Incident {
    /// When something happens for the hold. Whoever is asked whether it is solved is not asked
    /// whether they are still on it.
    pub(crate) fn hold_due(&self, tally: &Tally) -> Option<Timestamp> {
        let hold = self.escalation.hold?;
        let is_asked = self.prompts.open(Question::Solved).is_some();
        hold.due(tally.wants_response()).filter(|_| !is_asked)
    }
}

/// Whoever has the incident is paged because it has risen.
fn paged(incident: &Incident, operator: &Person, env: Env<'_>) -> Outcome {
    let mut events = vec![Event::AnswerAwaited {
        paged: true,
        until: env.now.plus_ms(confirm_wait_ms(incident)),
    }];
    events.extend(page_all(
        incident,
        [operator].into_iter(),
        0,
        Why::News,
        env,
    ));
    Outcome::of(events)
}

/// Whoever has the incident is asked whether they are still on it.
fn asked(incident: &Incident, operator: Option<&Person>, wait_ms: u64, env: Env<'_>) -> Outcome {
    let until = env.now.plus_ms(wait_ms);
    let mut events = vec![Event::AnswerAwaited {
        paged: false,
        until,
    }];
    let question = Question::StillOnIt;
    let ask = |it: &Person| prompts::ask(incident, it, question, until, env);
    events.extend(operator.and_then(ask));
    Outcome::of(events)
}

/// Acknowledges an incident for a while. `via` is the channel.
pub(crate) fn snooze(
    incident: &Incident,
    for_ms: u64,
    via: String,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let span = span_in_words(for_ms);
    if !(limits::HOLD_MS_MIN..=limits::HOLD_MS_MAX).contains(&for_ms) {
        let why = "an incident is snoozed for 1m to 7d, as in `snooze 30m`";
        return Err(Refusal::Invalid(why.to_owned()));
    }
    must_be_active(incident, "only an open incident can be snoozed")?;
    let is_answered = incident.lifecycle.acknowledged_at.is_some() && !incident.wants_answer();
    let mut outcome = match is_answered {
        true => Outcome::default(),
        false => lifecycle::acknowledge(incident, via, by, env)?,
    };
    let until = env.now.plus_ms(for_ms);
    outcome.events.push(Event::Snoozed { until });
    let number = incident.number;
    outcome.reply = format!("incident {number} is snoozed for {span}; then it pages again");
    Ok(outcome)
}

/// Passes the incident on to a person: whoever has it has it until they answer.
pub(crate) fn reassign(incident: &Incident, to: &Named, env: Env<'_>) -> Result<Outcome, Refusal> {
    must_be_active(incident, "only an open incident can be passed on")?;
    let person = reached(to)?;
    let wait_ms = confirm_wait_ms(incident);
    let reassigned = Event::Reassigned {
        to: to.id.clone(),
        until: env.now.plus_ms(wait_ms),
    };
    let mut events = vec![reassigned];
    events.extend(page_all(
        incident,
        [person].into_iter(),
        0,
        Why::ByName,
        env,
    ));
    let (number, who, wait) = (incident.number, &to.id, span_in_words(wait_ms));
    Ok(Outcome {
        events,
        reply: format!(
            "incident {number} is passed on to {who}; without an answer within {wait}, the \
             escalation starts again"
        ),
        ..Outcome::default()
    })
}

/// How long somebody has to answer who is paged for what another has or had, in milliseconds.
fn confirm_wait_ms(incident: &Incident) -> u64 {
    let wait_ms = incident.escalation.plan.wait_ms(0, 0);
    wait_ms.clamp(limits::CONFIRM_WAIT_MS_MIN, limits::CONFIRM_WAIT_MS_MAX)
}
