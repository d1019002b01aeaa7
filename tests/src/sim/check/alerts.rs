//! Checks of alerts: that none waits for nobody, and that incidents count and grade those in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin::runtime::{IncidentState, View, decode_row};
use tocsin_core::standing::{AlertGroup, Standing};
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Alert, IncidentId, Timestamp};
use tocsin_store::{Store, Table};

use super::{ROWS_MAX, text};
use crate::sim::cast::{self, Policies, weight_of};
use crate::sim::store::FaultyStore;
use crate::sim::world::Node;

/// Checks that no alert waits for others, or to be routed again, although that time is over, or for
/// longer than a day, nor while an incident of its key is open, and that none is left in an
/// incident that was merged into another.
///
/// # Errors
/// Which one does.
pub(in crate::sim) fn waits_end(
    store: &FaultyStore,
    view: &View,
    now: Timestamp,
) -> Result<(), String> {
    for (key, row) in store.rows(Table::Alert, "", None, ROWS_MAX).map_err(text)? {
        let alert: Alert = decode_row("an alert", &row.value).map_err(text)?;
        let ends = now.plus_ms(1)..now.plus_ms(24 * HOUR_MS);
        if alert
            .routed_again_at()
            .is_some_and(|it| !ends.contains(&it))
        {
            return Err(format!("alert {key} waits, and its wait does not end"));
        }
        if let Some(waits_under) = alert.waits_under() {
            let snapshot = view.snapshot(now).map_err(text)?;
            let found = snapshot.incident_of_key(waits_under).map_err(text)?;
            if found.is_some_and(|it| it.incident.is_active()) {
                return Err(format!("alert {key} waits although its incident is open"));
            }
        }
        let home = match alert.incident().filter(|_| alert.firing) {
            Some(id) => view.incident(id).map_err(text)?,
            None => None,
        };
        if home.is_some_and(|it| it.incident.lifecycle.merged_into.is_some()) {
            return Err(format!("alert {key} stays in an incident that was merged"));
        }
    }
    Ok(())
}

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
            let Some(alert) = alert.filter(is_here) else {
                continue;
            };
            // A group of what the alert was before it changed stands until the next review.
            let weight = weight_of(&group.alert, &alert.labels);
            let shape = cast::shape_of(cast::number_of(&group.alert), weight);
            let said = policies.grading(weight, tally.counts.firing);
            let stands = standing.groups.iter().find(|it| it.shape == shape);
            if stands.is_none_or(|it| it.grading != said) {
                return Err(format!(
                    "incident {}: the verdict on {} is {stands:?}, and the policies say {said:?}",
                    incident.id, group.alert
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
pub(super) fn alerts_are_graded(store: &FaultyStore, view: &View) -> Result<(), String> {
    for (key, row) in store.rows(Table::Alert, "", None, ROWS_MAX).map_err(text)? {
        let alert: Alert = decode_row("an alert", &row.value).map_err(text)?;
        let Some(id) = alert.incident().filter(|_| alert.firing) else {
            continue;
        };
        let state = view.incident(id).map_err(text)?;
        let state = state.filter(|it| it.incident.is_active());
        let standing = state.as_ref().and_then(|it| it.tally.standing.as_ref());
        let is_whole = |it: &&Standing| !it.is_cut && !it.watch.policies.is_empty();
        let weight = weight_of(&key, &alert.labels);
        let shape = cast::shape_of(cast::number_of(&key), weight);
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

pub(super) fn tallies_match_alerts(
    store: &FaultyStore,
    node: &Node,
    state: &[Arc<IncidentState>],
) -> Result<(), String> {
    let mut firing: BTreeMap<IncidentId, (u64, u64)> = BTreeMap::new();
    let mut silenced: BTreeMap<IncidentId, u64> = BTreeMap::new();
    let mut all_firing = 0;
    let (mut next_lapse, mut next_routed_again) = (None, None);
    for (key, row) in store.rows(Table::Alert, "", None, ROWS_MAX).map_err(text)? {
        let alert: Alert = decode_row("an alert", &row.value).map_err(text)?;
        if alert.key() != key {
            return Err(format!("the row of alert {key} has another key"));
        }
        next_lapse = [next_lapse, alert.fires_at].into_iter().flatten().min();
        if alert.firing {
            all_firing += 1;
            next_lapse = [next_lapse, alert.lease_until].into_iter().flatten().min();
            let ends = [next_routed_again, alert.routed_again_at()];
            next_routed_again = ends.into_iter().flatten().min();
            if let Some(id) = alert.incident() {
                let (all, ending) = firing.entry(id.clone()).or_default();
                *all += 1;
                *ending += u64::from(alert.ends_when_resolved);
                let is_silenced = u64::from(!alert.silenced_by.is_empty());
                *silenced.entry(id.clone()).or_default() += is_silenced;
            }
        }
    }
    for state in state {
        let (id, counts) = (&state.incident.id, state.tally.counts);
        let (rows, ending) = firing.get(id).copied().unwrap_or_default();
        if counts.firing != rows || counts.total < rows {
            return Err(format!(
                "incident {id} counts {} firing of {}, but {rows} of its alerts fire",
                counts.firing, counts.total
            ));
        }
        let are_silenced = silenced.get(id).copied().unwrap_or(0);
        if state.tally.silenced != are_silenced {
            return Err(format!(
                "incident {id} counts {} silenced alerts, but {are_silenced} are",
                state.tally.silenced
            ));
        }
        if state.tally.ending != ending {
            let counted = state.tally.ending;
            return Err(format!(
                "incident {id} counts {counted} alerts that end with it, but there are {ending}"
            ));
        }
        let waits = rows > ending && state.tally.reopen_due.is_none();
        let is_moving = state.incident.lifecycle.merged_into.is_some();
        if waits && !state.incident.is_active() && !is_moving {
            return Err(format!("what fires in incident {id} waits for nobody"));
        }
        if state.incident.is_active() && state.tally.logged != state.incident.counts {
            return Err(format!(
                "incident {id}: the counts of its stream and its tally differ"
            ));
        }
    }
    let leases = &node.leases;
    let ends = (leases.next_lapse(), leases.next_routed_again());
    if leases.firing() != all_firing || ends != (next_lapse, next_routed_again) {
        return Err("the index of leases differs from the alerts' rows".to_owned());
    }
    Ok(())
}
