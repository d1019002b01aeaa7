//! The events of an incident, from which its state, log and post-mortem are derived. Variants and
//! fields are only ever added; the store's upcasters keep released formats readable.

mod fit;
mod kinds;
mod opened;
mod recorded;
mod traits;

use serde::{Deserialize, Serialize};

use crate::changes::ChangeBrief;
use crate::incident::Counts;
use crate::paging::Rung;
use crate::promises::{Audience, Promise, PromiseOutcome, PromiseStage};
use crate::prompts::Question;
use crate::roles::{Declined, Role, ShiftEnd};
use crate::{
    Contact, Grade, IncidentId, IncidentKey, PersonId, Plan, PolicySource, Position, SilenceRef,
    Timestamp,
};

pub use crate::log::{LogDraft, LogKind, Ref, UnknownLogKind, Written};
pub use fit::EVENT_BYTES_MAX;
pub use opened::Opened;
pub use recorded::Recorded;
pub use traits::{Effect, Notify, Topic, Traits};

/// What happened to an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "kebab-case")]
pub enum Event {
    Opened(Box<Opened>),
    /// Its alert counts were recorded, at a bounded rate.
    Tallied {
        /// Exact, at that time.
        counts: Counts,
        /// Titles of some that joined since the last tally.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sample: Vec<String>,
    },
    /// Its grade was set.
    Graded {
        grade: Grade,
        /// Whether only people with clearance may see it.
        security: bool,
        /// Whether the policy cannot tell.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unsure: bool,
        reason: String,
        /// The policy, unless a person graded it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<PolicySource>,
    },
    /// A policy would change the grade, but a person's grade takes precedence.
    GradeProposed {
        /// The policy's grade.
        grade: Grade,
        reason: String,
        /// The policy; absent in events of versions that did not keep it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<PolicySource>,
    },
    /// A policy failed, so that the verdict before it stands or the built-in one applies.
    PolicyFailed {
        /// With file, line and remedy.
        report: String,
    },
    /// It escalates under a new plan.
    Planned {
        plan: Plan,
        reason: String,
        source: PolicySource,
        /// Where the escalation goes on; absent when it begins at the first step.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        goes_on: Option<Position>,
    },
    /// A step of the plan was taken.
    Escalated {
        /// Which step, from 0.
        step: u32,
        /// How often the last step has been repeated.
        round: u32,
        /// When the next step follows unless somebody acknowledges.
        next_at: Timestamp,
        /// Anything unusual, e.g. that nobody was on call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Every firing alert is silenced: the escalation pauses, and pages end that no channel has
    /// accepted.
    Silenced {
        /// Some of the silences.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        by: Vec<SilenceRef>,
    },
    /// An alert fires that is not silenced: the escalation resumes.
    Unsilenced {
        reason: String,
        /// The step that comes next.
        next_step: u32,
        /// When it follows; absent when the plan pages nobody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_at: Option<Timestamp>,
    },
    /// A person was paged.
    Paged {
        /// The page's number within the incident.
        page: u32,
        person: PersonId,
        /// In the order in which they are tried.
        contacts: Vec<Contact>,
        /// How many of them are tried at the same time; without, each is tried alone.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rungs: Vec<Rung>,
        step: u32,
        /// When it goes to the next rung unless a channel has accepted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_contact_at: Option<Timestamp>,
        /// Whether somebody asked for this person by name, and not the escalation.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        by_name: bool,
    },
    /// The page was not accepted or not answered, so it goes to the next rung.
    PageRedirected {
        /// The page's number.
        page: u32,
        /// The place of the rung's first contact in the page's list.
        contact: u32,
        reason: String,
        /// The contact whose channel rejected it, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rejected_by: Option<u32>,
        /// When it goes to the rung after that unless a channel has accepted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_contact_at: Option<Timestamp>,
    },
    /// The wait for the rung's channels restarts: the daemon was down during it, or the page waits
    /// to be bundled with others.
    PageRebased {
        /// The page's number.
        page: u32,
        /// When it goes to the next rung.
        next_contact_at: Timestamp,
        /// When it leaves at the latest, if the limit of messages to its person holds it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held_until: Option<Timestamp>,
    },
    /// A channel accepted the page.
    #[serde(rename = "page-taken")]
    PageAccepted {
        /// The page's number.
        page: u32,
        /// The contact's place in the page's list.
        contact: u32,
        /// Whether an earlier attempt was interrupted, so that the page may have arrived twice.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        interrupted: bool,
        /// How many other pages the message brought.
        #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
        others: u32,
        /// When it goes to the next rung unless somebody acknowledges; absent at the last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_contact_at: Option<Timestamp>,
    },
    /// A channel rejected the page, or did not accept it in time, and others of its rung have it.
    PageRejected {
        /// The page's number.
        page: u32,
        /// The contact's place in the page's list.
        contact: u32,
        reason: String,
    },
    /// A channel knows that the page was shown to the person.
    PageSeen {
        /// The page's number.
        page: u32,
        /// The contact's place in the page's list.
        contact: u32,
    },
    /// Whoever was paged answered, and the incident is another person's.
    PageAnswered {
        /// The page's number.
        page: u32,
        /// Where it came from: `slack`, `mail`, `api`, `cli`.
        via: String,
    },
    /// An attempt to deliver the page ended with an unknown outcome, and its channel has not
    /// confirmed it since. At most once for each contact of a page.
    PageOutcomeUnknown {
        /// The page's number.
        page: u32,
        /// The contact's place in the page's list.
        contact: u32,
    },
    /// None of the page's contacts worked; the escalation continues.
    PageExhausted {
        /// The page's number.
        page: u32,
        /// The last channel's error.
        reason: String,
        /// The contact whose channel rejected it, by its place in the page's list; absent if none
        /// accepted it in time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<u32>,
    },
    /// Nobody whom the last step pages can be reached: those of the fallback follow.
    FallbackPaged {
        /// Anything unusual, e.g. that the fallback names nobody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The escalation stops.
    Acknowledged {
        /// Where it came from: `slack`, `mail`, `api`, `cli`.
        via: String,
        /// Until when it holds; then whoever has the incident is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold_until: Option<Timestamp>,
        /// When the operator is asked whether to mitigate it first; absent: not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approach_at: Option<Timestamp>,
    },
    /// It is acknowledged until a time, and then the escalation starts again.
    Snoozed {
        until: Timestamp,
    },
    /// It was passed on to a person, who is paged; nobody else is any more.
    Reassigned {
        to: PersonId,
        /// Without their answer, the escalation starts again then.
        until: Timestamp,
    },
    /// Whoever has the incident is asked whether they are still on it, or paged because it has
    /// risen above what was acknowledged. Without an answer, the escalation starts again.
    AnswerAwaited {
        paged: bool,
        until: Timestamp,
    },
    /// The acknowledgement no longer holds. The escalation starts again.
    HoldExpired {
        reason: String,
    },
    /// A person was asked something.
    Prompted {
        /// The question's number within the incident.
        prompt: u32,
        to: PersonId,
        /// Where it is asked.
        contact: Contact,
        /// Where it is asked if that one does not take it, in the order in which they are tried.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        then: Vec<Contact>,
        question: Question,
        expires_at: Timestamp,
        /// When it goes to the next contact unless a channel has accepted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_contact_at: Option<Timestamp>,
    },
    /// A channel accepted a question.
    PromptAccepted {
        prompt: u32,
        /// The contact's place in the question's list.
        contact: u32,
        /// How many other incidents the message asked about.
        #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
        others: u32,
    },
    /// A channel did not accept a question.
    PromptRedirected {
        prompt: u32,
        reason: String,
        /// The place of the contact at which it is asked next; absent if no channel accepted it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<u32>,
        /// When it goes to the one after that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_contact_at: Option<Timestamp>,
    },
    /// The wait for the question's channel restarts: the daemon was down during it, or the question
    /// waits to go out with others.
    PromptRebased {
        prompt: u32,
        /// When it goes to the next contact.
        next_contact_at: Timestamp,
    },
    /// A question was answered.
    PromptAnswered {
        prompt: u32,
        /// The choice's ID.
        choice: String,
        label: String,
    },
    /// Nobody answered a question in time.
    PromptExpired {
        prompt: u32,
    },
    /// A question needs no answer any more.
    PromptWithdrawn {
        prompt: u32,
        reason: String,
    },
    /// Nothing asks questions of whoever should be asked.
    PromptSkipped {
        question: Question,
        to: PersonId,
    },
    /// The acknowledgement was withdrawn. The escalation restarts.
    Unacknowledged {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// The communication policy said who is asked to take the roles besides the operator.
    RespondersChosen {
        /// As for the spokesperson.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        commander: Vec<PersonId>,
        /// In the order in which they are asked until one accepts, at most
        /// [`RESPONSE_PEOPLE_MAX`](crate::limits::RESPONSE_PEOPLE_MAX).
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        spokesperson: Vec<PersonId>,
        /// As for the spokesperson.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shadow: Vec<PersonId>,
        reason: String,
        source: PolicySource,
    },
    /// Nobody is left to ask to take a role.
    RoleUnfilled {
        role: Role,
    },
    /// Somebody has a person asked to take a role.
    RoleOffered {
        role: Role,
        to: PersonId,
    },
    /// A person has a role from now on.
    #[serde(rename = "operator-assigned")]
    RoleAssigned {
        #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
        role: Role,
        person: PersonId,
    },
    /// A person does not take the role that they were asked to take.
    RoleDeclined {
        role: Role,
        person: PersonId,
        why: Declined,
    },
    /// The shift of whoever operates it ends.
    ShiftEnds(ShiftEnd),
    /// A person does not have a role any more.
    RoleLeft {
        role: Role,
        person: PersonId,
    },
    /// Somebody asks engineers for help.
    HelpWanted {
        text: String,
    },
    /// A person helps with the incident.
    ResponderJoined {
        person: PersonId,
    },
    /// An audience was told how it goes.
    UpdatePosted {
        audience: Audience,
        body: String,
        /// When they hear more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_at: Option<Timestamp>,
        /// Why then, if a policy said when.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
        /// That policy; absent if whoever told them said when, or needed not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<PolicySource>,
    },
    /// An update that was promised is due, or soon will be.
    UpdateAwaited {
        audience: Audience,
        stage: PromiseStage,
    },
    /// A promise of an incident that was merged into it is its own now.
    PromiseTakenOver {
        audience: Audience,
        promise: Promise,
    },
    /// A promise of an update was kept or broken.
    PromiseSettled {
        audience: Audience,
        /// When the update was due.
        due: Timestamp,
        outcome: PromiseOutcome,
    },
    /// There is something to do.
    TaskAdded {
        /// Its number within the incident.
        task: u32,
        text: String,
        /// Who does it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<PersonId>,
    },
    /// A person does a task from now on.
    TaskAssigned {
        task: u32,
        owner: PersonId,
    },
    /// Nobody has taken a task.
    TaskDone {
        task: u32,
    },
    /// A change to one of its services, such as a deployment, was made in the time before it.
    ChangeSuspected {
        /// The change's number within the incident.
        number: u32,
        change: ChangeBrief,
        /// How many more there were in that time, which are not listed.
        #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
        more: u32,
    },
    /// A change to one of its services was made while it is open.
    ChangeMade {
        number: u32,
        change: ChangeBrief,
    },
    /// Somebody says that a change caused it.
    ChangeConfirmed {
        number: u32,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
    },
    /// Somebody says that a change did not cause it.
    ChangeCleared {
        number: u32,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
    },
    /// Somebody added a log entry.
    Logged {
        kind: LogKind,
        body: String,
        #[serde(default, skip_serializing_if = "Written::is_command")]
        written: Written,
    },
    /// The incident has an id in another system.
    Linked(Ref),
    /// Impact is mitigated.
    Mitigated {
        reason: String,
    },
    /// Service is restored.
    Resolved {
        /// Why that is believed.
        reason: String,
        /// The counts at that time.
        counts: Counts,
    },
    /// It turned out to be part of another incident, which goes on with its alerts.
    Merged {
        into: IncidentId,
        /// That incident's number.
        number: u64,
        reason: String,
        /// The counts that are left once its alerts have moved.
        counts: Counts,
    },
    /// Routing says that it is part of another incident, and people work on it.
    MergeProposed {
        /// That incident's number.
        number: u64,
        reason: String,
    },
    /// Another incident was merged into it.
    Absorbed {
        incident: IncidentId,
        /// That incident's number.
        number: u64,
        /// The keys under which alerts now belong here, at most
        /// [`KEYS_PER_MERGE_MAX`](crate::limits::KEYS_PER_MERGE_MAX).
        keys: Vec<IncidentKey>,
        /// Those whose changes now concern this one too.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        services: Vec<String>,
        reason: String,
    },
    /// The problem returned.
    Reopened {
        reason: String,
    },
    /// It is finished.
    Closed {},
    /// Somebody ended one of its alerts by hand.
    AlertEnded {
        /// The alert's title.
        title: String,
        reason: String,
    },
}
