//! For how long an acknowledgement holds: an acknowledged incident is not a forgotten one.
//!
//! Once it has held for the time of the plan or of the grade, whoever has the incident is asked
//! whether they are still on it, and without an answer the escalation starts again. A rise above
//! what was acknowledged pages them at once. While nothing fires that is not silenced, they are
//! asked and nobody is paged; whatever should have been paged for meanwhile is as soon as something
//! fires again.

use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::time::span_in_words;
use crate::{Timestamp, limits};

/// Until when an acknowledgement holds, and what happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub until: Timestamp,
    pub stage: HoldStage,
    /// Since when it is at that stage, if that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The page that was sent for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
}

/// What an acknowledgement waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldStage {
    /// Whoever has the incident is asked at its end.
    Holds,
    /// The escalation starts again at its end.
    Snoozed,
    /// Whoever has the incident was asked whether they are still on it.
    Asked,
    /// The grade has risen above what was acknowledged: whoever has the incident is paged.
    Risen,
    /// They were paged for that.
    Paged,
    /// It was passed on to somebody, who was paged.
    #[serde(alias = "passedon")]
    PassedOn,
}

impl HoldStage {
    /// Whether acknowledging once more changes something.
    #[must_use]
    pub fn wants_answer(self) -> bool {
        matches!(
            self,
            Self::Asked | Self::Risen | Self::Paged | Self::PassedOn
        )
    }
}

impl Hold {
    pub(super) fn of(until: Timestamp, stage: HoldStage) -> Self {
        Self {
            until,
            stage,
            since: None,
            page: None,
        }
    }

    /// When something happens for it; `None`: not before something fires again. `is_heard`: whether
    /// something does that is not silenced.
    #[must_use]
    pub(crate) fn due(&self, is_heard: bool) -> Option<Timestamp> {
        match self.stage {
            HoldStage::Holds => Some(self.until),
            // The question waited for long as long as nothing fired.
            HoldStage::Asked if is_heard => {
                let waited = self.since.map(|at| at.plus_ms(limits::PROMPT_WAIT_MS));
                Some(waited.map_or(self.until, |at| at.min(self.until)))
            }
            HoldStage::Asked => Some(self.until),
            _ => is_heard.then_some(self.until),
        }
    }

    fn waits_for_page(&self) -> bool {
        matches!(self.stage, HoldStage::Paged | HoldStage::PassedOn)
    }
}

/// What an event does to the hold.
pub(super) fn fold(hold: &mut Option<Hold>, recorded: &Recorded) {
    let stage = |until: Timestamp, stage| Some(Hold::of(until, stage));
    match &recorded.event {
        Event::Acknowledged { hold_until, .. } => {
            *hold = hold_until.and_then(|until| stage(until, HoldStage::Holds));
        }
        Event::Snoozed { until } => *hold = stage(*until, HoldStage::Snoozed),
        Event::Reassigned { until, .. } => *hold = stage(*until, HoldStage::PassedOn),
        Event::AnswerAwaited { paged: true, until } => *hold = stage(*until, HoldStage::Paged),
        Event::AnswerAwaited { until, .. } => {
            *hold = Some(Hold {
                since: Some(recorded.at),
                ..Hold::of(*until, HoldStage::Asked)
            });
        }
        // The first page after it is the one for it.
        Event::Paged { page, .. } => {
            let unpaged = hold.as_mut().filter(|it| it.waits_for_page());
            let unpaged = unpaged.filter(|it| it.page.is_none());
            unpaged.into_iter().for_each(|it| it.page = Some(*page));
        }
        // Whoever was paged for it cannot be reached.
        Event::PageExhausted { page, .. } => {
            let paged = hold.as_mut().filter(|it| it.waits_for_page());
            let paged = paged.filter(|it| it.page.is_none_or(|it| it == *page));
            paged.into_iter().for_each(|it| it.until = recorded.at);
        }
        _ => {}
    }
}

pub(super) fn narrate(recorded: &Recorded) -> Option<String> {
    let span = |until: Timestamp| span_in_words(until.since(recorded.at));
    match &recorded.event {
        Event::Snoozed { until } => {
            Some(format!("{} snoozed it for {}", recorded.by, span(*until)))
        }
        Event::Reassigned { to, .. } => Some(format!("{} passed it on to {to}", recorded.by)),
        Event::AnswerAwaited { paged, until } => {
            let span = span(*until);
            Some(match paged {
                true => format!("it has risen above what was acknowledged; {span} to confirm"),
                false => format!("{span} to renew the acknowledgement"),
            })
        }
        Event::HoldExpired { reason } => Some(format!("the escalation starts again: {reason}")),
        _ => None,
    }
}
