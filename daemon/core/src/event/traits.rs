//! The traits of event kinds. `Event::traits` assigns them.

/// What all events of a kind have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// As stored in `type`.
    pub name: &'static str,
    /// The topic that decides, folds and narrates it.
    pub topic: Topic,
    /// What plugins are told about it.
    pub notify: Notify,
    /// Whether it is visible in a field of the incident that plugins get; otherwise it must be
    /// described in text.
    pub in_state: bool,
    /// What it does to the escalation and its pages.
    pub effect: Effect,
}

/// A topic of the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    Incident,
    Grading,
    Escalation,
    Paging,
    Prompts,
    Promises,
    Tasks,
    Roles,
    Lifecycle,
    Changes,
    Log,
}

/// What plugins are told about an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notify {
    /// Plugins are not notified.
    Nothing,
    /// That the incident changed.
    Change,
    /// That its counts changed; a newer such notice replaces an older one.
    Counts,
}

/// What an event does to the escalation and its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    None,
    /// The escalation stops, and no page needs an answer.
    EndsPaging,
    /// Acknowledgement and operator are cleared, and the plan restarts from its first step.
    StartsAgain,
}

impl Traits {
    pub(super) const fn of(name: &'static str, topic: Topic) -> Self {
        Self {
            name,
            topic,
            notify: Notify::Nothing,
            in_state: true,
            effect: Effect::None,
        }
    }

    /// Those of a change that no field of the incident shows.
    pub(super) const fn news(name: &'static str, topic: Topic) -> Self {
        Self::of(name, topic).change().unseen()
    }

    pub(super) const fn notify(mut self, notify: Notify) -> Self {
        self.notify = notify;
        self
    }

    pub(super) const fn change(self) -> Self {
        self.notify(Notify::Change)
    }

    pub(super) const fn unseen(mut self) -> Self {
        self.in_state = false;
        self
    }

    pub(super) const fn ends_paging(mut self) -> Self {
        self.effect = Effect::EndsPaging;
        self
    }

    pub(super) const fn starts_again(mut self) -> Self {
        self.effect = Effect::StartsAgain;
        self
    }
}
