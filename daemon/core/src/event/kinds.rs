//! The traits of each kind of event.

use crate::event::{Effect, Event, Notify, Topic, Traits};
use crate::promises::PromiseOutcome;
use crate::roles::Role;

impl Event {
    /// Whether the question whether somebody is still on it needs no answer after it.
    #[must_use]
    pub(crate) fn answers_hold(&self) -> bool {
        self.traits().effect != Effect::None || matches!(self, Self::Snoozed { .. })
    }

    /// The traits shared by all events of this kind; the match is exhaustive.
    #[must_use]
    pub const fn traits(&self) -> Traits {
        use Topic::{Changes, Escalation, Grading, Incident, Lifecycle, Log, Paging, Prompts};
        match self {
            Self::UpdatePosted { .. }
            | Self::UpdateAwaited { .. }
            | Self::PromiseTakenOver { .. }
            | Self::PromiseSettled { .. }
            | Self::TaskAdded { .. }
            | Self::TaskAssigned { .. }
            | Self::TaskDone { .. }
            | Self::HelpWanted { .. }
            | Self::ResponderJoined { .. }
            | Self::RespondersChosen { .. }
            | Self::RoleUnfilled { .. }
            | Self::RoleOffered { .. }
            | Self::RoleAssigned { .. }
            | Self::RoleDeclined { .. }
            | Self::ShiftEnds(_)
            | Self::RoleLeft { .. } => self.traits_of_response(),
            Self::Opened(_) => Traits::of("opened", Incident),
            Self::Tallied { .. } => Traits::of("tallied", Incident).notify(Notify::Counts),
            Self::Graded { .. } => Traits::of("graded", Grading).change(),
            Self::GradeProposed { .. } => Traits::news("grade-proposed", Grading),
            Self::PolicyFailed { .. } => Traits::news("policy-failed", Grading),
            Self::Planned { .. } => Traits::of("planned", Escalation).change(),
            Self::Escalated { .. } => Traits::news("escalated", Escalation),
            Self::Silenced { .. } => Traits::news("silenced", Escalation),
            Self::Unsilenced { .. } => Traits::news("unsilenced", Escalation),
            Self::Paged { .. } => Traits::of("paged", Paging),
            Self::PageRedirected { .. } => Traits::of("page-redirected", Paging).unseen(),
            Self::PageRebased { .. } => Traits::of("page-rebased", Paging),
            Self::PageAccepted { .. } => Traits::of("page-taken", Paging),
            Self::PageRejected { .. } => Traits::of("page-rejected", Paging).unseen(),
            Self::PageSeen { .. } => Traits::of("page-seen", Paging).unseen(),
            Self::PageAnswered { .. } => Traits::news("page-answered", Paging),
            Self::PageOutcomeUnknown { .. } => Traits::of("page-outcome-unknown", Paging).unseen(),
            Self::PageExhausted { .. } => Traits::news("page-exhausted", Paging),
            Self::FallbackPaged { .. } => Traits::news("fallback-paged", Paging),
            Self::Acknowledged { .. } => {
                Traits::of("acknowledged", Lifecycle).change().ends_paging()
            }
            Self::Unacknowledged { .. } => Traits::news("unacknowledged", Lifecycle).starts_again(),
            Self::Snoozed { .. } => Traits::news("snoozed", Escalation),
            Self::Reassigned { .. } => Traits::news("reassigned", Escalation).ends_paging(),
            Self::AnswerAwaited { .. } => Traits::of("answer-awaited", Escalation).unseen(),
            Self::HoldExpired { .. } => Traits::news("hold-expired", Escalation).starts_again(),
            Self::Prompted { .. } => Traits::of("prompted", Prompts),
            Self::PromptAccepted { .. } => Traits::of("prompt-accepted", Prompts),
            Self::PromptRedirected { .. } => Traits::of("prompt-redirected", Prompts).unseen(),
            Self::PromptRebased { .. } => Traits::of("prompt-rebased", Prompts),
            Self::PromptAnswered { .. } => Traits::of("prompt-answered", Prompts),
            Self::PromptWithdrawn { .. } => Traits::of("prompt-withdrawn", Prompts),
            Self::PromptSkipped { .. } => Traits::of("prompt-skipped", Prompts).unseen(),
            Self::PromptExpired { .. } => Traits::of("prompt-expired", Prompts).unseen(),
            Self::ChangeSuspected { .. } => Traits::news("change-suspected", Changes),
            Self::ChangeMade { .. } => Traits::news("change-made", Changes),
            Self::ChangeConfirmed { .. } => Traits::news("change-confirmed", Changes),
            Self::ChangeCleared { .. } => Traits::news("change-cleared", Changes),
            Self::Logged { .. } => Traits::of("logged", Log),
            Self::Linked(_) => Traits::of("linked", Log),
            Self::Mitigated { .. } => Traits::of("mitigated", Lifecycle).change(),
            Self::Resolved { .. } => Traits::of("resolved", Lifecycle).change().ends_paging(),
            Self::Merged { .. } => Traits::news("merged", Lifecycle).ends_paging(),
            Self::MergeProposed { .. } => Traits::news("merge-proposed", Lifecycle),
            Self::Absorbed { .. } => Traits::news("absorbed", Incident),
            Self::Reopened { .. } => Traits::of("reopened", Lifecycle).change().starts_again(),
            Self::Closed {} => Traits::of("closed", Lifecycle).change().ends_paging(),
            Self::AlertEnded { .. } => Traits::news("alert-ended", Incident),
        }
    }

    /// The traits of events of roles, updates and tasks.
    const fn traits_of_response(&self) -> Traits {
        use Topic::{Promises, Roles, Tasks};
        match self {
            Self::UpdatePosted { .. } => Traits::news("update-posted", Promises),
            Self::UpdateAwaited { .. } => Traits::news("update-awaited", Promises),
            Self::PromiseTakenOver { .. } => Traits::news("promise-taken-over", Promises),
            Self::PromiseSettled { outcome, .. } => {
                let traits = Traits::of("promise-settled", Promises);
                match outcome {
                    PromiseOutcome::Kept | PromiseOutcome::Late => traits,
                    PromiseOutcome::Broken => traits.change().unseen(),
                }
            }
            Self::TaskAdded { .. } => Traits::news("task-added", Tasks),
            Self::TaskAssigned { .. } => Traits::news("task-assigned", Tasks),
            Self::TaskDone { .. } => Traits::news("task-done", Tasks),
            Self::HelpWanted { .. } => Traits::news("help-wanted", Roles),
            Self::ResponderJoined { .. } => Traits::news("responder-joined", Roles),
            Self::RespondersChosen {
                commander,
                spokesperson,
                shadow,
                ..
            } => match commander.is_empty() && spokesperson.is_empty() && shadow.is_empty() {
                true => Traits::of("responders-chosen", Roles),
                false => Traits::news("responders-chosen", Roles),
            },
            Self::RoleUnfilled { .. } => Traits::news("role-unfilled", Roles),
            Self::RoleOffered { .. } => Traits::news("role-offered", Roles),
            Self::RoleAssigned { role, .. } => {
                let traits = Traits::of("operator-assigned", Roles).change();
                match role {
                    Role::Operator | Role::Spokesperson => traits,
                    Role::Commander | Role::Shadow => traits.unseen(),
                }
            }
            Self::RoleDeclined { .. } => Traits::news("role-declined", Roles),
            Self::ShiftEnds(_) => Traits::news("shift-ends", Roles),
            // `RoleLeft`, as the caller lets no other kind through.
            _ => Traits::news("role-left", Roles),
        }
    }
}
