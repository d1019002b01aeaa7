//! The sweep: resolves alerts whose lease has expired, reassesses alerts whose silence or wait has
//! ended, tells incidents of silences that begin or end, and removes what is long over.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tocsin_core::alert::Place;
use tocsin_core::command::{Command, Merge};
use tocsin_core::limits;
use tocsin_core::time::{MINUTE_MS, SECOND_MS};
use tocsin_core::{Actor, Alert, Incident, Timestamp};

use crate::runtime::due::Due;
use crate::runtime::engine::request::{Answer, Cause, Request};
use crate::runtime::error::EngineError;
use crate::runtime::intake::Observed;
use crate::runtime::registry::silences::Silences;
use crate::runtime::state::leases::Leases;
use crate::runtime::state::tables::RowWrites;
use crate::runtime::state::tables::alert::ALERTS;
use crate::runtime::state::tables::history;
use crate::runtime::state::view::View;

/// How often the sweep looks for what can be removed, in milliseconds.
const SWEEP_EVERY_MS: u64 = 5 * SECOND_MS;
/// Most alerts of each kind per sweep.
const SWEPT_MAX: usize = 1_000;
/// Most times per sweep that entries of the history are packed: after a storm, a few thousand a
/// second.
const PACK_ROUNDS_MAX: usize = 16;
/// Most removal requests of each kind per sweep: after a storm, alerts must be removed faster than
/// they arrive, without blocking other requests.
const ROUNDS_MAX: usize = 8;
/// Most expire requests per sweep. Each packs only a few incidents, so that alerts are processed in
/// between.
const EXPIRE_ROUNDS_MAX: usize = 64;
/// Most incidents merged per sweep.
const MERGES_MAX: usize = 64;
/// How long a resolved alert is kept, in milliseconds: as long as policies may ask when it fired.
const ENDED_KEPT_MS: u64 = limits::STARTS_KEPT_MS;
/// How long alerts with an ended lease are kept after a start, in milliseconds: Prometheus repeats
/// firing alerts every minute, and takes a while to reconnect.
const LEASE_GRACE_MS: u64 = 2 * MINUTE_MS;

/// Signals that resolve every alert whose lease has ended, and fire every dead man's switch that
/// has not been heard of. One that was heard of later than now, as the clock was set back, counts
/// from now on. The row decides: the index of leases may not know yet that another engine
/// has heard of the alert or resolved it.
///
/// # Errors
/// [`EngineError`] when an alert's row cannot be read.
pub fn lapses(view: &View, leases: &Leases, now: Timestamp) -> Result<Vec<Observed>, EngineError> {
    let mut lapsed = Vec::new();
    for key in leases.lapsed(now, SWEPT_MAX) {
        let Some(alert) = view.alert(&key)? else {
            continue;
        };
        if alert.firing && alert.lease_until.is_some_and(|until| until <= now) {
            lapsed.push(Observed::resolved(&alert));
        } else if alert.fires_at.is_some_and(|at| at <= now) {
            lapsed.push(Observed::silent(&alert));
        }
    }
    for key in leases.expected_after(now, SWEPT_MAX) {
        let is_later = |it: &Alert| !it.firing && it.fires_at.is_some() && it.last_seen > now;
        let alert = view.alert(&key)?.filter(is_later);
        lapsed.extend(alert.as_ref().map(|it| Observed::heard(it, now)));
    }
    Ok(lapsed)
}

/// Signals that every alert fires on whose wait for others has ended, or that the clock may no
/// longer have ignored, so that it is decided what becomes of it. An alert whose lease has ended
/// too is over.
///
/// # Errors
/// [`EngineError`] when an alert's row cannot be read.
pub fn routed_again(
    view: &View,
    leases: &Leases,
    now: Timestamp,
) -> Result<Vec<Observed>, EngineError> {
    let mut over = Vec::new();
    for key in leases.routed_again(now, SWEPT_MAX) {
        let is_over = |at: Option<Timestamp>| at.is_some_and(|until| until <= now);
        let is_due = |it: &Alert| is_over(it.routed_again_at()) && !is_over(it.lease_until);
        let alert = view.alert(&key)?.filter(is_due);
        over.extend(alert.as_ref().map(Observed::again));
    }
    Ok(over)
}

/// Signals that alerts fire on which a silence now holds or no longer holds, or whose key has an
/// open incident now, of those silenced or waiting whose keys are listed. Any other alert is
/// silenced when it is received again. One that waits and was received later than now, as the clock
/// was set back, waits from now on.
///
/// # Errors
/// [`EngineError`] when an alert's row cannot be read.
pub fn moved_aside(
    view: &View,
    silences: &Silences,
    keys: Vec<String>,
    now: Timestamp,
) -> Result<Vec<Observed>, EngineError> {
    let mut moved = Vec::new();
    for key in keys {
        let Some(alert) = view.alert(&key)?.filter(|it| it.firing) else {
            continue;
        };
        let was_silenced = matches!(alert.place, Place::Silenced { .. });
        let is_resilenced = was_silenced == silences.matching(&alert.labels, now).is_empty();
        let may_join = match alert.waits_under() {
            Some(key) => {
                let found = view.snapshot(now)?.incident_of_key(key)?;
                found.is_some_and(|it| alert.waits_in_vain_for(&it.incident))
            }
            None => false,
        };
        let is_set_back = alert.waits_until().is_some() && alert.last_seen > now;
        if is_resilenced || may_join || is_set_back {
            moved.push(Observed::again(&alert));
        }
    }
    Ok(moved)
}

/// Signals that alerts fire on whose incident was merged into another, so that they move there: of
/// incidents in memory, and if `all`, of every other one too, which takes longer.
///
/// # Errors
/// [`EngineError`] when an incident or an alert's row cannot be read.
pub fn moving(view: &View, leases: &Leases, all: bool) -> Result<Vec<Observed>, EngineError> {
    let ids = if all {
        leases.incidents_with_firing()
    } else {
        let mut states = view.in_memory();
        states.retain(|it| it.incident.lifecycle.merged_into.is_some());
        states.sort_by_key(|it| it.incident.number);
        states.iter().map(|it| it.incident.id.clone()).collect()
    };
    let mut moving = Vec::new();
    for id in ids {
        let state = view.incident(&id)?;
        if state.is_none_or(|it| it.incident.lifecycle.merged_into.is_none()) {
            continue;
        }
        for key in leases.firing_in(&id, SWEPT_MAX - moving.len()) {
            let is_there = |it: &Alert| it.firing && it.incident() == Some(&id);
            let alert = view.alert(&key)?.filter(is_there);
            moving.extend(alert.as_ref().map(Observed::again));
        }
    }
    Ok(moving)
}

/// Requests that merge incidents into one of which routing said that they are part of it.
#[must_use]
pub fn merges(view: &View) -> Vec<Request> {
    let mut states = view.in_memory();
    if states.iter().all(|it| it.incident.about.merges.is_empty()) {
        return Vec::new();
    }
    // In one order, so that a simulation is repeated exactly.
    states.sort_by_key(|it| it.incident.number);
    let incidents = || states.iter().map(|it| &it.incident);
    let mut merges = Vec::new();
    for into in incidents().filter(|it| !it.about.merges.is_empty()) {
        let parts = incidents().filter(|it| it.is_part_of(into));
        merges.extend(parts.take(MERGES_MAX).map(|it| merging(it, into)));
    }
    merges.truncate(MERGES_MAX);
    merges
}

fn merging(incident: &Incident, into: &Incident) -> Request {
    Request::Command {
        incident: incident.id.clone(),
        by: Actor::Tocsin,
        command: Command::Merge(Box::new(Merge::as_routed(into))),
        cause: Cause::default(),
    }
}

/// Signals that end every alert that a person has ended by resolving its incident.
///
/// # Errors
/// [`EngineError`] when an alert's row cannot be read.
pub fn ended_by_hand(view: &View, leases: &Leases) -> Result<Vec<Observed>, EngineError> {
    let mut ended = Vec::new();
    for id in leases.incidents_with_ending() {
        let Some(state) = view.incident(&id)? else {
            continue;
        };
        let incident = &state.incident;
        let resolves = incident.lifecycle.resolves;
        for key in leases.ending(&incident.id, resolves, SWEPT_MAX - ended.len()) {
            if let Some(alert) = view.alert(&key)?.filter(|it| it.is_ended_by(incident)) {
                ended.push(Observed::resolved(&alert));
            }
        }
    }
    Ok(ended)
}

impl Due {
    pub(crate) async fn sweep_if_due(
        self: &Arc<Self>,
        now: Timestamp,
    ) -> Result<usize, EngineError> {
        self.silences.follow()?;
        if self.view.is_outdated()? {
            // The engine follows before it does nothing: who asks policies how busy people are, or
            // whom a step pages, must not go by what another engine changed seconds ago.
            self.writer.ask(Request::rows(RowWrites::default())).await?;
        }
        self.leases.refresh(self.view.store())?;
        let mut swept = self.end_lapsed(now).await?;
        let is_due = now.0 >= self.next_sweep.load(Ordering::SeqCst);
        swept += self.merge_incidents(is_due).await?;
        swept += self.follow_silences(now).await?;
        self.report_ended_silences(now).await?;
        swept += self.route_again(now).await?;
        if !self.silences.take_changed() && !is_due {
            return Ok(swept);
        }
        self.next_sweep
            .store(now.plus_ms(SWEEP_EVERY_MS).0, Ordering::SeqCst);
        swept += self.release_silenced(now).await?;
        swept += self.review_some(now).await?;
        swept += self.route_others_again(now).await?;
        self.arm_switches().await?;
        for _ in 0..ROUNDS_MAX {
            if self.forget_ended(now).await? < SWEPT_MAX {
                break;
            }
        }
        self.silences.tidy(now, &self.writer).await?;
        for round in 1..=PACK_ROUNDS_MAX {
            if !self.pack_history(now).await? {
                break;
            }
            if round == PACK_ROUNDS_MAX {
                // There may be more, as after a storm: the next sweep goes on at once.
                self.next_sweep.store(now.0, Ordering::SeqCst);
            }
        }
        for _ in 0..EXPIRE_ROUNDS_MAX {
            match self.writer.ask(Request::Expire).await? {
                Answer::Expired(count) if count > 0 => tracing::trace!(count, "forgotten"),
                _ => break,
            }
        }
        Ok(swept)
    }

    /// Resolves alerts that a person has ended, and those whose lease has ended. Of the latter,
    /// those not received since the start get some more time: their sender may have repeated them
    /// while the daemon was down, and resolving them all would resolve every incident only to page
    /// everybody again.
    async fn end_lapsed(self: &Arc<Self>, now: Timestamp) -> Result<usize, EngineError> {
        let mut lapsed = lapses(&self.view, &self.leases, now)?;
        if now < self.leases_hold_until() {
            lapsed.retain(|it| it.last_seen >= Some(self.started_at));
        }
        lapsed.extend(ended_by_hand(&self.view, &self.leases)?);
        self.reassess(lapsed).await
    }

    /// How late the sweep is, in milliseconds; the first is due at the start.
    #[must_use]
    pub fn sweep_late_ms(&self, now: Timestamp) -> u64 {
        let due = self.next_sweep.load(Ordering::SeqCst);
        now.since(Timestamp(due).max(self.started_at))
    }

    /// Until when alerts not received since the start are kept although their lease has ended.
    pub(crate) fn leases_hold_until(&self) -> Timestamp {
        self.started_at.plus_ms(LEASE_GRACE_MS)
    }

    /// Reassesses alerts that are still firing after their wait has ended, or when the clock may no
    /// longer have them ignored.
    async fn route_again(self: &Arc<Self>, now: Timestamp) -> Result<usize, EngineError> {
        self.reassess(routed_again(&self.view, &self.leases, now)?)
            .await
    }

    /// Reassesses alerts that are still firing after their silence ended, those that a silence
    /// hides while they wait, and those whose incident others have opened meanwhile. One page per
    /// sweep, so that thousands under one silence do not delay other work.
    async fn release_silenced(self: &Arc<Self>, now: Timestamp) -> Result<usize, EngineError> {
        let after = std::mem::take(&mut *self.sweep_after.lock());
        let keys = self.leases.aside(&after, SWEPT_MAX);
        if keys.len() == SWEPT_MAX {
            *self.sweep_after.lock() = keys.last().cloned().unwrap_or_default();
        }
        self.reassess(moved_aside(&self.view, &self.silences, keys, now)?)
            .await
    }

    /// Merges incidents as routing said, and moves the alerts of merged ones.
    async fn merge_incidents(self: &Arc<Self>, all: bool) -> Result<usize, EngineError> {
        let merges = merges(&self.view);
        let mut count = merges.len();
        for merge in merges {
            match self.writer.ask(merge).await {
                // It has changed, or another engine has merged it.
                Err(why @ (EngineError::Refused(_) | EngineError::Commit(_))) => {
                    count -= 1;
                    tracing::debug!(%why, "an incident is not merged");
                }
                answer => drop(answer?),
            }
        }
        count += self
            .reassess(moving(&self.view, &self.leases, all)?)
            .await?;
        Ok(count)
    }

    pub(super) async fn reassess(
        self: &Arc<Self>,
        alerts: Vec<Observed>,
    ) -> Result<usize, EngineError> {
        let count = alerts.len();
        if count > 0 {
            self.intake.take_observed(alerts).await?;
        }
        Ok(count)
    }

    /// Packs entries of the history; whether there were enough.
    async fn pack_history(&self, now: Timestamp) -> Result<bool, EngineError> {
        let (together, bytes_max) = (history::PACKED_TOGETHER, history::HISTORY_BYTES_MAX);
        let until = now.minus_ms(history::LOOSE_MS);
        let packing = history::pack(self.view.store(), together, until, bytes_max)?;
        let Some(packing) = packing else {
            return Ok(false);
        };
        match self.writer.ask(Request::rows(packing.write)).await {
            Ok(_) if packing.removed > 0 => {
                let entries = packing.removed;
                tracing::warn!(
                    entries,
                    "the history of alerts is full: its oldest entries go"
                );
                Ok(true)
            }
            Ok(_) => Ok(true),
            // Another engine has packed them.
            Err(EngineError::Commit(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes alerts that resolved long ago; returns how many.
    async fn forget_ended(&self, now: Timestamp) -> Result<usize, EngineError> {
        let mut forgotten: Vec<Alert> = Vec::new();
        let mut write = RowWrites::default();
        for key in self
            .leases
            .ended_before(now.minus_ms(ENDED_KEPT_MS), SWEPT_MAX)
        {
            let row = ALERTS.get(self.view.store(), &key)?;
            let Some(row) = row.filter(|it| !it.value.firing && it.value.fires_at.is_none()) else {
                continue;
            };
            write = write.and(ALERTS.remove(&key).if_at(row.revision));
            forgotten.push(row.value);
        }
        if forgotten.is_empty() {
            return Ok(0);
        }
        match self.writer.ask(Request::rows(write)).await {
            Ok(_) => {
                for alert in &forgotten {
                    self.leases.remove(alert);
                }
                Ok(forgotten.len())
            }
            // One of them fires again: the next sweep sees which.
            Err(EngineError::Commit(_)) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
