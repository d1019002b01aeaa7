//! Reviews: the verdicts on an incident after something that they were decided from has changed.

use crate::event::Event;
use crate::grading::decide::{raises, settle};
use crate::grading::standing::{AlertGroup, Standing};
use crate::incident::{Incident, Tally};
use crate::outcome::{Env, Opening, Outcome};
use crate::refusal::Refusal;
use crate::{Actor, Timestamp, escalation};

/// What the policies say now of an incident and its alerts, obtained beforehand.
#[derive(Clone, Debug, PartialEq)]
pub struct Review {
    /// The version of the incident that they saw.
    pub version: u64,
    /// What stood for it then, and how often its alerts had changed; alerts that enter meanwhile
    /// change that.
    pub before: Option<Standing>,
    pub changes: u64,
    /// Its groups of alerts, with their verdicts; those of alerts that are over stay as they were.
    pub groups: Vec<AlertGroup>,
    /// The highest of these verdicts, and the plan for the grade that follows.
    pub opening: Opening,
}

impl Review {
    /// Whether it finds what stands already, so that it need not be carried out.
    #[must_use]
    pub fn is_as_before(&self, incident: &Incident, tally: &Tally, now: Timestamp) -> bool {
        let standing = tally.standing.as_ref();
        let has_plan = escalation::is_same(&incident.escalation, &self.opening.plan.value, now);
        has_plan
            && standing.is_some_and(|it| it.groups == self.groups && it.watch == self.opening.watch)
    }

    /// Whether an alert has entered that the policies were not asked about.
    fn is_outdated(&self, tally: &Tally) -> bool {
        let known = self.before.as_ref().map(|it| (&it.groups, &it.watch));
        let stands = tally.standing.as_ref().map(|it| (&it.groups, &it.watch));
        let is_known = |it: &AlertGroup| known.is_some_and(|(groups, _)| groups.contains(it));
        let has_ended = |it: &AlertGroup| it.is_over && !is_known(it);
        known != stands
            // It may be of a group that would count as over.
            || self.changes != tally.changes && self.groups.iter().any(has_ended)
    }
}

/// Whether an active incident must be reviewed although its timer is not due: its verdicts are not
/// those of the policies in force, at most once in
/// [`REVIEW_EVERY_MS`](crate::limits::REVIEW_EVERY_MS), since two engines may have different ones;
/// or the clock was set back after the last review, by which its timer was set.
#[must_use]
pub fn needs_review(incident: &Incident, tally: &Tally, in_force: &str, now: Timestamp) -> bool {
    let is_due = |it: &Standing| {
        let is_other = it.watch.policies != in_force;
        is_other && it.may_be_reviewed(now) || it.reviewed_at.is_some_and(|at| at > now)
    };
    incident.is_active() && tally.standing.as_ref().is_none_or(is_due)
}

/// Whether the verdicts on an active incident depend on what is around it.
#[must_use]
pub fn depends_on_surroundings(incident: &Incident, tally: &Tally) -> bool {
    let standing = tally.standing.as_ref();
    incident.is_active() && standing.is_some_and(|it| it.watch.surroundings)
}

/// Carries out what a review found. Only a different verdict does something.
///
/// # Errors
/// [`Refusal::NeedsVerdict`] when the incident has changed since the policies saw it.
pub(crate) fn review(
    incident: &Incident,
    tally: &Tally,
    review: Review,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    if !incident.is_active() {
        return Err(Refusal::Stale("the review"));
    }
    if review.version != incident.version || review.is_outdated(tally) {
        return Err(Refusal::NeedsVerdict);
    }
    let opening = &review.opening;
    let before = tally.standing.as_ref().and_then(Standing::highest);
    let graded_before = before.or_else(|| Some(incident.grading.in_force()));
    let mut events: Vec<Event> = settle(incident, graded_before, opening);
    let has_plan = escalation::is_same(&incident.escalation, &opening.plan.value, env.now);
    let has_risen = events.iter().any(|it| raises(incident, it));
    if has_risen {
        events = escalation::replan(incident, events, opening, &Actor::Tocsin, env);
    } else if !has_plan && opening.plan.source.fallback.is_none() {
        events = escalation::go_on(incident, events, opening, env);
    }
    let mut tally = tally.clone();
    tally.standing = Some(Standing {
        groups: review.groups,
        is_cut: tally.standing.is_some_and(|it| it.is_cut),
        watch: review.opening.watch,
        reviewed_at: Some(env.now),
        review_due: None,
    });
    Ok(Outcome {
        events,
        tally: Some(tally),
        ..Outcome::default()
    })
}
