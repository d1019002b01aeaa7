//! Invariants that must hold after every step, whatever went wrong. The checks read the store, and
//! describe what is broken in a sentence.

mod alerts;
mod pages;

use std::collections::BTreeSet;
use std::sync::Arc;

use tocsin::runtime::{
    IncidentState, OUTCOME_TIMER, PAGER_TIMER, SCHEDULE_TIMER, View, events_of, tally_of, timer_key,
};
use tocsin_core::consequences::wanted_timers;
use tocsin_core::{Actor, Event, Incident, IncidentId, Plan, Recorded};
use tocsin_store::{Store, TimerKey, TimerRow};

use super::history;
use super::on_call::Model;
use super::store::FaultyStore;
use super::world::Node;

use alerts::{alerts_are_graded, tallies_match_alerts};
pub(super) use alerts::{verdicts_stand, waits_end};
pub(super) use pages::pages_are_out;

/// Most rows per read; no simulated run has that many.
const ROWS_MAX: usize = 10_000;

/// An effect that was confirmed to somebody, so that it must stay in the store.
#[derive(Clone, Debug)]
pub(super) enum Fact {
    /// Somebody acknowledged the incident.
    Acknowledged(IncidentId),
    /// Somebody resolved it.
    Resolved(IncidentId),
    /// Somebody wrote this line, or graded for this reason.
    Said(IncidentId, String),
    Opened(IncidentId),
}

/// Checks after each step that do not read every stream.
///
/// # Errors
/// What is broken.
pub(super) fn step(
    store: &FaultyStore,
    node: &Node,
    touched: &BTreeSet<IncidentId>,
) -> Result<(), String> {
    if let Some(event) = store.miscoded() {
        return Err(format!("encoding and decoding changes {event}"));
    }
    if let Some(unsilenced) = store.unsilenced() {
        return Err(unsilenced);
    }
    let view = &node.view;
    node.desk.model.lock().is_followed()?;
    let state = view.in_memory();
    for id in touched {
        folded_equals_incremental(store, node, id)?;
    }
    one_active_per_key(&state)?;
    timers_are_as_wanted(store, view, &state)?;
    escalations_continue(&state)?;
    pages::are_somewhere(store, &state)?;
    alerts_are_graded(store, view)?;
    tallies_match_alerts(store, node, &state)
}

/// Checks that two engines that have followed the feed have the same state.
///
/// # Errors
/// How they differ.
pub(super) fn agree(
    one: &Node,
    other: &Node,
    touched: &BTreeSet<IncidentId>,
) -> Result<(), String> {
    let mut ids = touched.clone();
    for node in [one, other] {
        let state = node.view.in_memory();
        let active = state.iter().filter(|it| it.incident.is_active());
        ids.extend(active.map(|it| it.incident.id.clone()));
    }
    for id in ids {
        let seen = one.view.incident(&id).map_err(text)?;
        if seen != other.view.incident(&id).map_err(text)? {
            return Err(format!("two engines see different things of incident {id}"));
        }
    }
    let leases = |node: &Node| {
        let ends = (node.leases.next_lapse(), node.leases.next_routed_again());
        (node.leases.firing(), ends)
    };
    match leases(one) == leases(other) {
        true => Ok(()),
        false => Err("two engines see different leases".to_owned()),
    }
}

/// Checks everything, reading every stream: after a crash, and at the end.
///
/// # Errors
/// What is broken.
pub(super) fn whole(store: &FaultyStore, node: &Node, facts: &[Fact]) -> Result<(), String> {
    let view = &node.view;
    let mut numbers = BTreeSet::new();
    let (mut merged, mut taken_in) = (Vec::new(), Vec::new());
    for (stream, _) in store.streams(None, ROWS_MAX).map_err(text)? {
        let Some(id) = stream.0.strip_prefix("incident/").map(IncidentId::from) else {
            continue;
        };
        let incident = folded_equals_incremental(store, node, &id)?;
        if !numbers.insert(incident.number) {
            return Err(format!("two incidents have number {}", incident.number));
        }
        let is_held = view.in_memory().iter().any(|state| state.incident.id == id);
        if incident.is_active() && !is_held {
            return Err(format!("incident {id} is active but not in memory"));
        }
        let into = incident.lifecycle.merged_into.iter();
        merged.extend(into.map(|it| (incident.number, it.number)));
        taken_in.extend(incident.took_in.iter().map(|it| (*it, incident.number)));
    }
    merged.sort_unstable();
    taken_in.sort_unstable();
    if merged != taken_in {
        return Err(format!(
            "these incidents were merged: {merged:?}, and these taken in: {taken_in:?}"
        ));
    }
    for fact in facts {
        check_fact(store, fact)?;
    }
    history::agrees(store)?;
    step(store, node, &BTreeSet::new())
}

fn folded_equals_incremental(
    store: &FaultyStore,
    node: &Node,
    id: &IncidentId,
) -> Result<Incident, String> {
    let view = &node.view;
    let events = events_of(store, id).map_err(text)?;
    let folded = Incident::replay(id, &events).map_err(text)?;
    pages_are_planned(id, &events, &node.desk.model.lock())?;
    plans_go_on(id, &events)?;
    let state = view.incident(id).map_err(text)?;
    let state =
        state.ok_or_else(|| format!("incident {id} is in the store but not in the view"))?;
    if *state.incident != folded {
        let (seen, is) = (state.incident.version, folded.version);
        return Err(format!(
            "incident {id}: view and replay differ (view {seen}, stored {is})"
        ));
    }
    let tally = tally_of(store, &folded).map_err(text)?;
    if state.tally != tally {
        return Err(format!("incident {id}: its tally differs from the store's"));
    }
    Ok(folded)
}

/// Every page goes to somebody who was to be paged by that step of the plan at that time.
fn pages_are_planned(id: &IncidentId, events: &[Recorded], model: &Model) -> Result<(), String> {
    let mut plan = &Plan::default();
    // Whether others than those of the plan are paged now.
    let mut by_other = false;
    for event in events {
        match &event.event {
            Event::FallbackPaged { .. }
            | Event::AnswerAwaited { paged: true, .. }
            | Event::Reassigned { .. } => by_other = true,
            Event::Escalated { .. } => by_other = false,
            Event::Paged { .. } if by_other || event.by != Actor::Tocsin => {}
            Event::Opened(opened) => plan = &opened.plan,
            Event::Planned { plan: next, .. } => plan = next,
            Event::Paged { person, step, .. } => {
                let named = plan.steps.get(*step as usize).map(|it| &it.page);
                if named.is_none_or(|it| !model.has_answered(it, person, event.at)) {
                    let at = event.at;
                    return Err(format!(
                        "incident {id}: step {step} pages {person} at {at} and names {named:?}"
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// No review has anybody paged later: another plan goes on where the one before has come, and
/// starts over only with a higher grade or when the incident reopens.
fn plans_go_on(id: &IncidentId, events: &[Recorded]) -> Result<(), String> {
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

fn one_active_per_key(state: &[Arc<IncidentState>]) -> Result<(), String> {
    let mut keys = BTreeSet::new();
    for state in state.iter().filter(|state| state.incident.is_active()) {
        if !keys.insert(&state.incident.about.key) {
            return Err(format!(
                "two incidents are open for {}",
                state.incident.about.key
            ));
        }
    }
    Ok(())
}

fn timers_are_as_wanted(
    store: &FaultyStore,
    view: &View,
    state: &[Arc<IncidentState>],
) -> Result<(), String> {
    let wanted_of = |it: &IncidentState| wanted_timers(&it.incident, &it.tally);
    let wanted = state.iter().flat_map(|it| wanted_of(it));
    let wanted: BTreeSet<TimerKey> = wanted.map(|timer| timer_key(&timer)).collect();
    let rows = store.timers(None, ROWS_MAX).map_err(text)?;
    let keys = rows.into_iter().map(|row| row.key);
    let others = [SCHEDULE_TIMER, PAGER_TIMER, OUTCOME_TIMER];
    let is_core = |key: &TimerKey| !others.contains(&key.kind.as_str());
    let set: BTreeSet<TimerKey> = keys.filter(is_core).collect();
    if let Some(lost) = wanted.difference(&set).next() {
        return Err(format!("timer {} at {} is lost", lost.id, lost.due));
    }
    for extra in set.difference(&wanted) {
        // After a restart, one that lost its key to another incident is not in memory.
        let id = extra.id.split('/').next().unwrap_or_default().into();
        let state = view.incident(&id).map_err(text)?;
        let is_wanted = |it: &IncidentState| wanted_of(it).iter().any(|it| timer_key(it) == *extra);
        if !state.is_some_and(|it| is_wanted(&it)) {
            return Err(format!("unwanted timer {} at {}", extra.id, extra.due));
        }
    }
    Ok(())
}

/// Checks that every schedule has one timer.
///
/// # Errors
/// What is broken.
pub(super) fn schedules_have_timers<'a>(
    store: &FaultyStore,
    schedules: impl Iterator<Item = &'a (String, String)>,
) -> Result<(), String> {
    let rows = store.timers(None, ROWS_MAX).map_err(text)?;
    for (plugin, name) in schedules {
        let id = format!("{plugin}/{name}");
        let is_its = |row: &&TimerRow| row.key.kind == SCHEDULE_TIMER && row.key.id == id;
        match rows.iter().filter(is_its).count() {
            1 => {}
            count => return Err(format!("schedule {id} has {count} timers")),
        }
    }
    Ok(())
}

fn escalations_continue(state: &[Arc<IncidentState>]) -> Result<(), String> {
    for state in state {
        let incident = &state.incident;
        let escalation = &incident.escalation;
        let rests = escalation.due.is_none() && escalation.hold.is_none();
        let rests = rests && !escalation.plan.steps.is_empty();
        if incident.is_unanswered() && rests && !incident.escalation.silenced {
            return Err(format!(
                "incident {} is unacknowledged but does not escalate",
                incident.id
            ));
        }
        let (fires, is_silenced) = (state.tally.counts.firing > 0, state.tally.is_silenced());
        if incident.is_unanswered() && fires && incident.escalation.silenced != is_silenced {
            return Err(format!(
                "incident {} has {} firing alerts, {} of them silenced, but its pause is {}",
                incident.id,
                state.tally.counts.firing,
                state.tally.silenced,
                incident.escalation.silenced
            ));
        }
    }
    Ok(())
}

fn check_fact(store: &FaultyStore, fact: &Fact) -> Result<(), String> {
    let (id, is_it): (&IncidentId, &dyn Fn(&Event) -> bool) = match fact {
        Fact::Acknowledged(id) => (id, &|it| matches!(it, Event::Acknowledged { .. })),
        // To resolve what was merged is answered too.
        Fact::Resolved(id) => (id, &|it| {
            matches!(it, Event::Resolved { .. } | Event::Merged { .. })
        }),
        Fact::Opened(id) => (id, &|it| matches!(it, Event::Opened(_))),
        Fact::Said(id, said) => (id, &move |it| match it {
            Event::Logged { body, .. } => body == said,
            Event::Graded { reason, .. } => reason == said,
            _ => false,
        }),
    };
    let events = events_of(store, id).map_err(text)?;
    match events.iter().any(|it| is_it(&it.event)) {
        true => Ok(()),
        false => Err(format!("{fact:?} was confirmed, but is lost")),
    }
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
