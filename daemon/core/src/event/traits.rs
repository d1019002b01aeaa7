//! What holds for every event of a kind, in one place: a new kind of event does not compile until
//! it has its line here.

use crate::event::Event;

/// What holds for every event of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// Its name, as it is stored in `type`.
    pub name: &'static str,
    /// The topic that decides, folds and narrates it.
    pub topic: Topic,
    /// What plugins are told of it.
    pub told: Told,
    /// Whether it shows in a field of the incident that plugins get; what does not must be said
    /// in words.
    pub in_state: bool,
    /// Whether from then on the escalation rests and no page needs an answer.
    pub ends_paging: bool,
}

/// A topic of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the folders")]
pub enum Topic {
    Incident,
    Grading,
    Escalation,
    Paging,
    Roles,
    Lifecycle,
    Log,
}

/// What plugins are told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// No change of the incident.
    Nothing,
    /// That the incident changed.
    Change,
    /// That its counts changed; a newer such notice replaces an older one.
    Counts,
}

impl Event {
    /// What holds for every event of this kind.
    #[must_use]
    pub const fn traits(&self) -> Traits {
        use Topic::{Escalation, Grading, Incident, Lifecycle, Log, Paging, Roles};
        match self {
            Self::Opened(_) => Traits::of("opened", Incident),
            Self::Tallied { .. } => Traits::of("tallied", Incident).told(Told::Counts),
            Self::Graded { .. } => Traits::of("graded", Grading).change(),
            Self::GradeProposed { .. } => Traits::of("grade-proposed", Grading).change().unseen(),
            Self::Planned { .. } => Traits::of("planned", Escalation).change(),
            Self::Escalated { .. } => Traits::of("escalated", Escalation).change().unseen(),
            Self::Paged { .. } => Traits::of("paged", Paging),
            Self::PageRedirected { .. } => Traits::of("page-redirected", Paging).unseen(),
            Self::PageRebased { .. } => Traits::of("page-rebased", Paging),
            Self::PageTaken { .. } => Traits::of("page-taken", Paging),
            Self::PageExhausted { .. } => Traits::of("page-exhausted", Paging).change().unseen(),
            Self::Acknowledged { .. } => {
                Traits::of("acknowledged", Lifecycle).change().ends_paging()
            }
            Self::OperatorAssigned { .. } => Traits::of("operator-assigned", Roles).change(),
            Self::Logged { .. } => Traits::of("logged", Log),
            Self::Linked(_) => Traits::of("linked", Log),
            Self::Mitigated { .. } => Traits::of("mitigated", Lifecycle).change(),
            Self::Resolved { .. } => Traits::of("resolved", Lifecycle).change().ends_paging(),
            Self::Reopened { .. } => Traits::of("reopened", Lifecycle).change(),
            Self::Closed {} => Traits::of("closed", Lifecycle).change().ends_paging(),
        }
    }
}

impl Traits {
    const fn of(name: &'static str, topic: Topic) -> Self {
        Self {
            name,
            topic,
            told: Told::Nothing,
            in_state: true,
            ends_paging: false,
        }
    }

    const fn told(mut self, told: Told) -> Self {
        self.told = told;
        self
    }

    const fn change(self) -> Self {
        self.told(Told::Change)
    }

    const fn unseen(mut self) -> Self {
        self.in_state = false;
        self
    }

    const fn ends_paging(mut self) -> Self {
        self.ends_paging = true;
        self
    }
}
