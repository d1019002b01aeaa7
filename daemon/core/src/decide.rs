//! The commands on an incident, and which topic decides each.

use crate::changes::AboutChange;
use crate::escalation::answer;
use crate::event::{Event, LogDraft, Ref};
use crate::grading::Review;
use crate::incident::{self, Incident, Tally};
use crate::lifecycle::decide as lifecycle;
use crate::lifecycle::merge::{self, Merge};
use crate::lifecycle::reopen;
use crate::outcome::{Env, Named, Opening, Outcome, Responders};
use crate::paging::decide as pages;
use crate::promises::{Audience, Cadence, Next};
use crate::prompts::Question;
use crate::refusal::Refusal;
use crate::roles::{Response, Role, ShiftEnd};
use crate::tasks::TaskChange;
use crate::{
    Actor, Grade, Step, Timestamp, Verdict, changes, escalation, grading, log, paging, promises,
    prompts, roles, tasks,
};

/// A request to change an incident.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Stop the escalation; the first person to acknowledge becomes the operator.
    Acknowledge {
        /// Where it came from: `slack`, `mail`, `api`, `cli`.
        via: String,
    },
    /// Acknowledge it for a while; then the escalation starts again.
    Snooze {
        /// For how long, in milliseconds.
        for_ms: u64,
        /// The channel.
        via: String,
    },
    /// Answer a question.
    Answer {
        prompt: u32,
        /// The choice's ID.
        choice: String,
        /// The channel.
        via: String,
        /// For an answer that sets a grade, as in [`Grade`](Self::Grade).
        replan: Option<Box<Opening>>,
        /// For an answer that passes a role on: whoever gets it.
        to: Option<Named>,
    },
    /// Withdraw the acknowledgement; the escalation restarts.
    Unacknowledge { reason: Option<String> },
    /// Page a person.
    Page { to: Named },
    /// Pass the incident on to a person.
    Reassign { to: Named },
    /// Pass a role to a person, who must accept it, or take it.
    HandOff {
        /// `None`: the one that whoever asks has.
        role: Option<Role>,
        to: Named,
        /// The channel.
        via: String,
    },
    /// The shift of whoever operates it ends soon.
    ShiftEnds(ShiftEnd),
    /// Ask engineers for help.
    HelpWanted { text: String },
    /// Help with the incident.
    Join {
        /// Whether whoever joins may see security incidents.
        may_see: bool,
    },
    /// Add, assign or finish a task.
    Task(TaskChange),
    /// Tell an audience how it goes.
    Update {
        audience: Audience,
        body: String,
        /// When they hear more, in milliseconds; `None`: as the communication policy says.
        next_ms: Option<u64>,
        /// What it says, obtained beforehand; for an update that does not say when.
        cadence: Option<Box<Verdict<Cadence>>>,
    },
    /// Set the grade manually.
    Grade {
        grade: Grade,
        /// The security flag; `None` leaves it unchanged.
        security: Option<bool>,
        /// Whether whoever grades it may remove the security flag, which discloses the incident.
        may_declassify: bool,
        reason: String,
        /// The plan and responders for that grade, obtained beforehand; for an incident that is not
        /// acknowledged yet.
        replan: Option<Box<Opening>>,
    },
    /// Add a log entry.
    Log(LogDraft),
    /// A change to one of its services is reported, or judged.
    Change(AboutChange),
    /// Record its id in another system.
    Link(Ref),
    /// Impact is mitigated.
    Mitigate { reason: String },
    /// Service is restored.
    Resolve {
        /// Why that is believed.
        reason: String,
    },
    /// It is part of another incident.
    Merge(Box<Merge>),
    /// Mark a resolved incident as finished.
    Close,
    /// The escalation's timer fired.
    EscalationDue {
        /// The time that the timer was set for.
        due: Timestamp,
        /// The steps [`ahead`](crate::incident::Escalation::ahead), with who each pages, looked up
        /// now.
        steps: Vec<(Step, Responders)>,
    },
    /// A page's timer fired.
    ContactDue {
        page: u32,
        /// The first contact of the rung whose wait ended.
        contact: u32,
        /// The time that the timer was set for.
        due: Timestamp,
        /// When it leaves at the latest, while it waits to be bundled with others; the engine looks
        /// it up.
        held_until: Option<Timestamp>,
    },
    /// Nobody of the last step can be reached.
    FallbackDue {
        /// Those of the fallback, looked up now.
        fallback: Responders,
    },
    /// The time of an acknowledgement's hold is over.
    HoldDue {
        /// The time that the timer was set for.
        due: Timestamp,
        /// Whoever has the incident, if anybody has.
        operator: Option<Named>,
    },
    /// A question's time is over, or its contact's.
    PromptDue {
        prompt: u32,
        /// The time that the timer was set for.
        due: Timestamp,
        /// As for [`ContactDue`](Self::ContactDue).
        held_until: Option<Timestamp>,
    },
    /// A promised update is due, or soon will be.
    PromiseDue {
        audience: Audience,
        /// The time that the timer was set for.
        due: Timestamp,
        /// Whoever speaks for the incident, and its operator.
        people: Vec<Named>,
    },
    /// The operator is to be asked something.
    AskDue {
        question: Question,
        /// The time that the timer was set for.
        due: Timestamp,
        operator: Option<Named>,
    },
    /// The policy says who takes the roles besides the operator.
    Respond {
        /// The time that the timer was set for.
        due: Timestamp,
        /// The same as the policy saw it, which tells whether it saw this operator and grade.
        seen: Option<Timestamp>,
        /// Obtained beforehand.
        verdict: Option<Box<Verdict<Response>>>,
    },
    /// The next person is asked to take a role.
    OfferDue {
        role: Role,
        /// The time that the timer was set for.
        due: Timestamp,
        to: Option<Named>,
    },
    /// A channel accepted a question.
    PromptAccepted {
        prompt: u32,
        contact: u32,
        /// How many other incidents the message asked about.
        others: u32,
    },
    /// A channel rejected a question.
    PromptFailed {
        prompt: u32,
        contact: u32,
        /// The channel's error.
        reason: String,
    },
    /// A channel accepted a page.
    PageAccepted {
        page: u32,
        contact: u32,
        /// Whether an earlier attempt was interrupted, so that its outcome is unknown.
        interrupted: bool,
        /// How many other pages the message brought.
        others: u32,
    },
    /// A channel rejected a page.
    PageFailed {
        page: u32,
        contact: u32,
        /// The channel's error.
        reason: String,
        /// Whether an attempt may have arrived anyway.
        outcome_unknown: bool,
    },
    /// An attempt to deliver a page may have arrived; it is retried, or no longer needed.
    PageOutcomeUnknown { page: u32, contact: u32 },
    /// A channel knows that a page was shown to the person.
    PageSeen { page: u32, contact: u32 },
    /// The tally's timer fired.
    TallyDue,
    /// The resolve timer fired.
    ClearDue,
    /// The policies were asked again.
    Review(Box<Review>),
    /// It goes on.
    Reopen {
        /// Why a person wants it; `None`: the reopen timer fired.
        reason: Option<String>,
        /// The plan and responders, obtained beforehand; without, the plan starts again as it is.
        replan: Option<Box<Opening>>,
        /// Whether another incident under its key is active; the engine looks it up.
        rival: bool,
    },
}

impl Command {
    /// The people whom it names, to be looked up.
    pub fn named(&mut self) -> &mut [Named] {
        match self {
            Self::HoldDue { operator, .. } | Self::AskDue { operator, .. } => {
                operator.as_mut_slice()
            }
            Self::OfferDue { to, .. } | Self::Answer { to, .. } => to.as_mut_slice(),
            Self::Task(change) => change.named().map_or(&mut [], std::slice::from_mut),
            Self::Page { to } | Self::Reassign { to } | Self::HandOff { to, .. } => {
                std::slice::from_mut(to)
            }
            Self::PromiseDue { people, .. } => people,
            _ => &mut [],
        }
    }
}

/// Decides the outcome of a command. Nothing changes: the caller makes the outcome durable and
/// folds its events.
///
/// # Errors
/// [`Refusal`] when the command is not carried out; the state is unchanged.
pub fn decide(
    incident: &Incident,
    tally: &Tally,
    command: Command,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let mut outcome = dispatch(incident, tally, command, by, env)?;
    paging::skip_unserved(&mut outcome, Some(incident), env);
    // No command makes an alert heard that was silenced, but a withdrawal may find all silenced.
    let why = "an alert is not silenced";
    escalation::pause_or_resume((incident, tally), &mut outcome, why, env);
    Ok(outcome)
}

fn dispatch(
    incident: &Incident,
    tally: &Tally,
    command: Command,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    match command {
        Command::Acknowledge { via } => lifecycle::acknowledge(incident, via, by, env),
        Command::Snooze { for_ms, via } => answer::snooze(incident, for_ms, via, by, env),
        it @ (Command::Answer { .. }
        | Command::AskDue { .. }
        | Command::PromptDue { .. }
        | Command::PromptAccepted { .. }
        | Command::PromptFailed { .. }) => about_question(incident, tally, it, by, env),
        it @ (Command::HandOff { .. }
        | Command::ShiftEnds(_)
        | Command::HelpWanted { .. }
        | Command::Join { .. }
        | Command::Task(_)
        | Command::Respond { .. }
        | Command::OfferDue { .. }
        | Command::Update { .. }
        | Command::PromiseDue { .. }) => about_response(incident, it, by, env),
        it @ (Command::ContactDue { .. }
        | Command::FallbackDue { .. }
        | Command::PageAccepted { .. }
        | Command::PageFailed { .. }
        | Command::PageOutcomeUnknown { .. }
        | Command::PageSeen { .. }) => about_page(incident, it, env),
        Command::HoldDue { due, operator } => {
            answer::hold_due(incident, tally, due, operator.as_ref(), env)
        }
        Command::Unacknowledge { reason } => lifecycle::unacknowledge(incident, tally, reason),
        Command::Grade {
            grade,
            security,
            may_declassify,
            reason,
            replan,
        } => {
            let graded = (grade, (security, may_declassify), reason);
            grading::by_hand(incident, graded, replan.as_deref(), by, env)
        }
        Command::Reassign { to } => answer::reassign(incident, &to, env),
        Command::Page { to } => pages::by_name(incident, &to, env),
        Command::Log(it) => log::write(it, env.now),
        Command::Change(it) => changes::about(incident, it, env),
        Command::Link(link) => Ok(Outcome::of(vec![Event::Linked(link)])),
        Command::Mitigate { reason } => lifecycle::mitigate(incident, reason),
        Command::Resolve { reason } => Ok(lifecycle::resolve(incident, tally, reason, env)),
        Command::Merge(it) => merge::merge(incident, tally, *it, by),
        Command::Close => lifecycle::close(incident),
        Command::EscalationDue { due, steps } => escalation::step_due(incident, due, steps, env),
        Command::TallyDue => incident::tally_due(incident, tally, env.now),
        Command::ClearDue => lifecycle::clear_due(incident, tally, env),
        Command::Review(found) => grading::review(incident, tally, *found, env),
        Command::Reopen {
            reason,
            replan,
            rival,
        } => {
            let looked_up = (replan.as_deref(), rival);
            reopen::reopen((incident, tally), reason, looked_up, by, env)
        }
    }
}

fn about_page(incident: &Incident, command: Command, env: Env<'_>) -> Result<Outcome, Refusal> {
    match command {
        Command::ContactDue {
            page,
            contact,
            due,
            held_until,
        } => pages::contact_due(incident, (page, contact), due, held_until, env),
        Command::FallbackDue { fallback } => pages::page_fallback(incident, &fallback, env),
        Command::PageAccepted {
            page,
            contact,
            interrupted,
            others,
        } => pages::accepted(incident, (page, contact), (interrupted, others), env),
        Command::PageFailed {
            page,
            contact,
            reason,
            outcome_unknown,
        } => pages::rejected(incident, (page, contact), (reason, outcome_unknown), env),
        Command::PageOutcomeUnknown { page, contact } => {
            pages::outcome_unknown(incident, page, contact, env)
        }
        Command::PageSeen { page, contact } => pages::seen(incident, page, contact, env),
        _ => Err(Refusal::Stale("the page")),
    }
}

/// Roles, tasks, and what audiences are told.
fn about_response(
    incident: &Incident,
    command: Command,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    match command {
        Command::HandOff { role, to, via } => roles::hand_off(incident, (role, &to), &via, by, env),
        Command::ShiftEnds(shift) => roles::shift_ends(incident, shift),
        Command::HelpWanted { text } => roles::want_help(incident, text),
        Command::Join { may_see } => roles::join(incident, may_see, by),
        Command::Task(it) => tasks::change(incident, it),
        Command::Respond { due, seen, verdict } => {
            roles::respond(incident, due, seen, verdict.map(|it| *it), env)
        }
        Command::OfferDue { role, due, to } => {
            roles::offer_due(incident, role, due, to.as_ref(), env)
        }
        Command::Update {
            audience,
            body,
            next_ms,
            cadence,
        } => {
            let next = match next_ms {
                Some(ms) => Next::In(ms),
                None => Next::AsPolicy(cadence.map(|it| *it)),
            };
            promises::post(incident, (audience, body, next), by, env)
        }
        Command::PromiseDue {
            audience,
            due,
            people,
        } => promises::due(incident, audience, due, &people, env),
        _ => Err(Refusal::Stale("the response")),
    }
}

fn about_question(
    incident: &Incident,
    tally: &Tally,
    command: Command,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    match command {
        Command::Answer {
            prompt,
            choice,
            via,
            replan,
            to,
        } => {
            let answer = (choice.as_str(), via);
            let looked_up = (replan.as_deref(), to.as_ref());
            prompts::answer((incident, tally), prompt, answer, looked_up, by, env)
        }
        Command::AskDue {
            question,
            due,
            operator,
        } => prompts::operator_due((incident, tally), question, due, operator.as_ref(), env),
        Command::PromptDue {
            prompt,
            due,
            held_until,
        } => prompts::due(incident, prompt, due, held_until, env),
        Command::PromptAccepted {
            prompt,
            contact,
            others,
        } => prompts::accepted(incident, prompt, contact, others),
        Command::PromptFailed {
            prompt,
            contact,
            reason,
        } => prompts::failed(incident, prompt, contact, reason, env),
        _ => Err(Refusal::Stale("the question")),
    }
}
