//! What the operator is asked as soon as it is time, once: each topic says what, and since when.

use crate::event::Event;
use crate::incident::{Incident, Tally};
use crate::outcome::{Env, Named, Outcome};
use crate::prompts::ask::ask;
use crate::prompts::question::Question;
use crate::refusal::Refusal;
use crate::timer::TimerKind;
use crate::{Timestamp, lifecycle, roles, tasks};

/// When the operator is asked each question that they were not asked since it was due.
pub(crate) fn operator_timers(
    incident: &Incident,
    tally: &Tally,
) -> impl Iterator<Item = (Timestamp, TimerKind)> {
    let due = wanted(incident, tally);
    due.map(|(due, question)| (due, TimerKind::Ask { question }))
}

/// It is time to ask the operator something. `operator`: looked up now.
pub(crate) fn operator_due(
    (incident, tally): (&Incident, &Tally),
    question: Question,
    due: Timestamp,
    operator: Option<&Named>,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let mut wanted = wanted(incident, tally);
    let is_wanted = due <= env.now && wanted.any(|it| it == (due, question));
    let to = incident.roles.operator.clone();
    let to = to.filter(|_| is_wanted && incident.is_active());
    let to = to.ok_or(Refusal::Stale("the question"))?;
    // They changed since they were looked up.
    let named = operator.filter(|it| it.id == to);
    let person = named.ok_or(Refusal::OtherStep)?.reachable();
    let until = env.now.plus_ms(question.wait_ms());
    let asked = person.and_then(|it| ask(incident, it, question, until, env));
    let skipped = || Event::PromptSkipped { question, to };
    Ok(Outcome::of(vec![asked.unwrap_or_else(skipped)]))
}

fn wanted(incident: &Incident, tally: &Tally) -> impl Iterator<Item = (Timestamp, Question)> {
    let all = incident.grading.asks();
    let all = all.chain(lifecycle::asks(incident, tally));
    let all = all.chain(tasks::asks(&incident.tasks));
    let all = all.chain(roles::asks(&incident.roles));
    let asked = &incident.prompts.asked;
    let has_operator = incident.roles.operator.is_some();
    all.filter(move |(due, question)| has_operator && asked.get(question).is_none_or(|at| at < due))
}
