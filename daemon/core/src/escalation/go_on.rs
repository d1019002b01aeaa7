//! Where an escalation goes on when a review finds another plan: policies may say one thing now and
//! another a minute later, and whoever is to be paged next must be paged all the same.

use crate::Timestamp;
use crate::escalation::plan::{Plan, Position};
use crate::escalation::state::Escalation;

/// Where a plan takes over from the one before; `None`: it begins at its first step, as one of them
/// pages nobody.
///
/// If the steps that were taken page the same in both, the next one follows. Otherwise it is the
/// first that pages somebody who was not paged yet, or the last again if there is none. It follows
/// after the wait that the new plan has before it, and never later than the next page was due,
/// unless the last step waits for its time again.
pub(crate) fn position(before: &Escalation, plan: &Plan, now: Timestamp) -> Option<Position> {
    let next = before.next_step as usize;
    let from = match has_same_start(before, plan) {
        true => next,
        false => after_paged(before, plan),
    };
    let taken_at = before.taken_at.map_or(now, |at| at.min(now));
    let waited = match from.checked_sub(1) {
        Some(last) => taken_at.plus_ms(plan.wait_ms(last, before.round)),
        None => now,
    };
    let (step, due) = plan.next_page(from, waited)?;
    let (_, due_before) = before.plan.next_page(next, before.due.unwrap_or(now))?;
    let due = due.max(now);
    Some(Position {
        next_step: u32::try_from(step).unwrap_or(u32::MAX),
        round: if step < plan.steps.len() {
            0
        } else {
            before.round
        },
        next_at: match before.due {
            Some(at) if at > now && step >= plan.steps.len() => match plan.repeats_later(now) {
                Some(_) => due,
                None => due.min(due_before),
            },
            Some(_) => due.min(due_before),
            None => due,
        },
    })
}

/// Whether a plan says the same as the one in force: it names the same people and waits, and the
/// times of its steps, except of those that were taken, and whose time has passed; and if the last
/// one repeats, the same time for that.
pub(crate) fn is_same(before: &Escalation, plan: &Plan, now: Timestamp) -> bool {
    let steps = before.plan.steps.iter().zip(&plan.steps);
    let has_passed = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    let repeats = before.next_step as usize >= plan.steps.len();
    let repeats_at_same_time = before.plan.repeats_later(now) == plan.repeats_later(now);
    before.plan.steps.len() == plan.steps.len()
        && (!repeats || repeats_at_same_time)
        && before.plan.hold_ms == plan.hold_ms
        && (0..).zip(steps).all(|(place, (own, other))| {
            let is_taken = place < before.next_step;
            let is_at_same_time = own.at == other.at || is_taken && has_passed(own.at);
            own.page == other.page && own.wait_ms == other.wait_ms && is_at_same_time
        })
}

/// Whether steps were taken, and the plan begins with steps that page the same.
fn has_same_start(before: &Escalation, plan: &Plan) -> bool {
    let next = before.next_step as usize;
    let mut taken = before.plan.steps.iter().zip(&plan.steps).take(next);
    (1..=plan.steps.len()).contains(&next) && taken.all(|(own, other)| own.page == other.page)
}

/// The place after the steps of a plan that page only whom the plans before have paged.
fn after_paged(before: &Escalation, plan: &Plan) -> usize {
    let is_new = |target| !before.paged.contains(target);
    let known = plan.steps.iter().enumerate();
    let known = known.take_while(|(_, it)| !it.page.iter().any(is_new));
    let paging = known.filter(|(_, it)| !it.page.is_empty());
    paging.last().map_or(0, |(place, _)| place + 1)
}
