//! What must be true of verdicts, and of the plans that follow from them.

use tocsin::runtime::{View, decode_row};
use tocsin_core::standing::{AlertGroup, Standing};
use tocsin_core::{Actor, Alert, Event, Incident, IncidentId, PageTarget, Plan, Recorded};
use tocsin_store::{Store, Table};

use super::{ROWS_MAX, text};
use crate::sim::cast::{Policies, number_of};
use crate::sim::store::FaultyStore;

/// Checks that the verdicts of every active incident are what the policies say now, unless they are
/// about to be asked.
///
/// # Errors
/// What is broken.
pub(in crate::sim) fn verdicts_stand(view: &View, policies: &Policies) -> Result<(), String> {
    for state in view.in_memory() {
        let (incident, tally) = state.parts();
        let standing = tally.standing.as_ref().filter(|it| it.review_due.is_none());
        let Some(standing) = standing.filter(|_| incident.is_active()) else {
            continue;
        };
        for group in standing.groups.iter().filter(|it| !it.is_over) {
            let alert = view.alert(&group.alert).map_err(text)?;
            let is_here = |it: &Alert| it.firing && it.incident() == Some(&incident.id);
            let said = policies.grading(number_of(&group.alert), tally.counts.firing);
            if alert.as_ref().is_some_and(is_here) && said != group.grading {
                return Err(format!(
                    "incident {}: the verdict on {} is {:?}, and the policies say {said:?}",
                    incident.id, group.alert, group.grading
                ));
            }
        }
        let highest = standing.highest().map(|it| it.grade);
        let is_graded = incident.grading.by_person || highest <= Some(incident.grading.grade);
        if !is_graded {
            return Err(format!("incident {} is below its verdicts", incident.id));
        }
    }
    Ok(())
}

/// Every alert that fires in an active incident has its verdict among those that stand, unless they
/// are too many or the policies are about to be asked.
pub(in crate::sim) fn alerts_are_graded(store: &FaultyStore, view: &View) -> Result<(), String> {
    for (key, row) in store.rows(Table::Alert, "", None, ROWS_MAX).map_err(text)? {
        let alert: Alert = decode_row("an alert", &row.value).map_err(text)?;
        let Some(id) = alert.incident().filter(|_| alert.firing) else {
            continue;
        };
        let state = view.incident(id).map_err(text)?;
        let state = state.filter(|it| it.incident.is_active());
        let standing = state.as_ref().and_then(|it| it.tally.standing.as_ref());
        let is_whole = |it: &&Standing| !it.is_cut && !it.watch.policies.is_empty();
        let shape = number_of(&key).to_string();
        let is_its = |it: &AlertGroup| it.shape == shape && !it.is_over;
        if standing
            .filter(is_whole)
            .is_some_and(|it| !it.groups.iter().any(is_its))
        {
            return Err(format!("incident {id} has no verdict on {key}"));
        }
    }
    Ok(())
}

/// Every page goes to somebody whom that step of the plan names.
pub(in crate::sim) fn pages_are_planned(
    id: &IncidentId,
    events: &[Recorded],
) -> Result<(), String> {
    let mut plan = &Plan::default();
    for event in events {
        match &event.event {
            Event::Opened(opened) => plan = &opened.plan,
            Event::Planned { plan: next, .. } => plan = next,
            Event::Paged { person, step, .. } => {
                let named = plan.steps.get(*step as usize).map(|it| &it.page);
                let paged = PageTarget::Person(person.clone());
                if named.is_none_or(|it| !it.contains(&paged)) {
                    return Err(format!(
                        "incident {id}: step {step} pages {person} and names {named:?}"
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// No review has anybody paged later: another plan goes on where the one before has come, and
/// begins anew only with a higher grade or when the incident reopens.
pub(in crate::sim) fn plans_go_on(id: &IncidentId, events: &[Recorded]) -> Result<(), String> {
    let Some((first, rest)) = events.split_first() else {
        return Ok(());
    };
    let mut incident = Incident::begin(id, first).map_err(text)?;
    let mut begins_at = None;
    for recorded in rest {
        let before = match &recorded.event {
            Event::Graded { .. } | Event::Reopened { .. } => {
                begins_at = Some(recorded.at);
                None
            }
            Event::Planned { plan, .. } if recorded.by == Actor::Tocsin => {
                let before = incident.is_unanswered().then_some(&incident.escalation);
                before.filter(|it| !it.plan.steps.is_empty() && !plan.steps.is_empty())
            }
            _ => None,
        };
        let (due, is_review) = (before.and_then(|it| it.due), before.is_some());
        incident = incident.fold(recorded);
        if let (Event::Planned { goes_on, .. }, true) = (&recorded.event, is_review) {
            if goes_on.is_none() && begins_at != Some(recorded.at) {
                return Err(format!("incident {id}: a review has its plan begin anew"));
            }
            if goes_on.is_some() && due.is_some() && incident.escalation.due > due {
                let later = incident.escalation.due;
                return Err(format!(
                    "incident {id}: a review puts off a page from {due:?} to {later:?}"
                ));
            }
        }
    }
    Ok(())
}
