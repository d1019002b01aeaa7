//! An answer to a question, and the end of one that nobody answered.

use crate::event::Event;
use crate::incident::{Incident, Tally};
use crate::lifecycle::decide as lifecycle;
use crate::outcome::{Env, Outcome};
use crate::prompts::question::Question;
use crate::prompts::state::PromptState;
use crate::refusal::Refusal;
use crate::{Actor, Timestamp};

/// Somebody answers a question; what the answer does happens with it. `via` is the channel.
pub(crate) fn answer(
    (incident, tally): (&Incident, &Tally),
    prompt: u32,
    choice: &str,
    via: String,
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
        PromptState::Answered { by, .. } => {
            return Ok(Outcome::reply(format!("{by} has answered already")));
        }
        PromptState::Expired | PromptState::Settled => {
            return Ok(Outcome::reply(
                "this question needs no answer any more".to_owned(),
            ));
        }
    }
    let answered = Event::PromptAnswered {
        prompt,
        choice: choice.to_owned(),
        label: chosen.label.to_owned(),
    };
    let mut outcome = match (asked.question, choice) {
        (Question::StillOnIt, "yes") => lifecycle::acknowledge(incident, via, by, env)?,
        (Question::StillOnIt, _) => lifecycle::unacknowledge(incident, tally, None)?,
    };
    outcome.events.insert(0, answered);
    Ok(outcome)
}

/// Nobody answered a question in time.
pub(crate) fn expire(incident: &Incident, prompt: u32, due: Timestamp) -> Result<Outcome, Refusal> {
    let asked = incident.prompts.all.get(&prompt);
    match asked.filter(|it| it.is_open() && it.expires_at == due) {
        Some(_) => Ok(Outcome::of(vec![Event::PromptExpired { prompt }])),
        None => Err(Refusal::Stale("the question")),
    }
}
