//! Plugins' schedules. Each run is an ordinary delivery, so that a slow plugin never overlaps
//! itself; the next run's timer is set in the batch that queues this one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tocsin_core::{PluginId, Timestamp};
use tocsin_plugin_host::Schedule;
use tocsin_store::{Class, CommitError, Store, TimerKey, TimerRow};

use crate::runtime::delivery::{Delivery, row_of};
use crate::runtime::due::Due;
use crate::runtime::engine::request::{Request, Write};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::decode_row;
use crate::runtime::state::tables::mark::Mark;

/// The kind of a schedule's timer row.
pub const SCHEDULE_TIMER: &str = "schedule";
/// Missed runs that are counted; more are as good as this many.
const MISSED_MAX: u32 = 1_000;
/// Timers that one read brings.
const PAGE_TIMERS: usize = 512;
/// Looks at the timers while others change them.
const TRIES_MAX: usize = 8;

/// The stored payload of a schedule's timer.
#[derive(Debug, Serialize, Deserialize)]
struct TimerPayload {
    plugin: PluginId,
    schedule: String,
}

impl Due {
    /// Sets a timer for every schedule of the loaded plugins that has none, and takes those of
    /// schedules that are gone.
    ///
    /// # Errors
    /// [`EngineError`] when the store or the engine fails.
    pub async fn arm_schedules(&self) -> Result<(), EngineError> {
        for _ in 0..TRIES_MAX {
            let now = self.clock.now();
            let mut wanted = Vec::new();
            for plugin in self.plugins.plugins() {
                for (name, schedule) in plugin.schedules() {
                    wanted.extend(schedule_timer(plugin.id().into(), name, &schedule, now)?);
                }
            }
            let Some(request) = arming(self.view.store(), wanted)? else {
                return Ok(());
            };
            match self.writer.ask(request).await {
                Err(EngineError::Commit(
                    CommitError::Conflict { .. } | CommitError::TimerTaken(_),
                )) => {}
                answer => return answer.map(drop),
            }
        }
        Err(EngineError::Overloaded)
    }

    pub(crate) async fn fire_schedule(
        self: &Arc<Self>,
        row: TimerRow,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let schedule_of = |plugin: &PluginId, name: &str| {
            let schedules = self.plugins.get(plugin.as_str())?.schedules();
            let mut named = schedules.into_iter().filter(|(known, _)| known == name);
            named.next().map(|(_, schedule)| schedule)
        };
        self.writer.ask(ticking(row, now, schedule_of)?).await?;
        Ok(())
    }
}

/// What brings the timers of schedules to the `wanted` first ones, where a schedule has none yet;
/// nothing when all is well. It is refused when another engine does the same, or when a timer that
/// it takes has just fired.
///
/// # Errors
/// [`EngineError`] when the store cannot be read.
pub fn arming(store: &dyn Store, wanted: Vec<TimerRow>) -> Result<Option<Request>, EngineError> {
    let mark = Mark::SCHEDULES.revision(store)?;
    let wanted = wanted.into_iter().map(|row| (row.key.id.clone(), row));
    let mut wanted: BTreeMap<String, TimerRow> = wanted.collect();
    let mut standing: BTreeMap<String, TimerKey> = BTreeMap::new();
    let mut write = Write::default();
    let mut after: Option<TimerKey> = None;
    loop {
        let page = store.timers(after.as_ref(), PAGE_TIMERS)?;
        for row in page.iter().filter(|row| row.key.kind == SCHEDULE_TIMER) {
            let (id, key) = (row.key.id.clone(), row.key.clone());
            match wanted.contains_key(&id) {
                // Of two, the earlier goes: it fired during this look, or is one too many.
                true => write.timers_take.extend(standing.insert(id, key)),
                false => write.timers_take.push(key),
            }
        }
        let is_last = page.len() < PAGE_TIMERS;
        after = page.into_iter().next_back().map(|row| row.key);
        if is_last {
            break;
        }
    }
    wanted.retain(|id, _| !standing.contains_key(id));
    write.timers_set = wanted.into_values().collect();
    if write.timers_set.is_empty() && write.timers_take.is_empty() {
        return Ok(None);
    }
    write.rows = Mark::SCHEDULES.leave(mark)?;
    Ok(Some(Request::Write(Box::new(write))))
}

/// What a schedule's timer that is due asks of the engine: one delivery for all runs up to `now`,
/// and the timer of the next. `schedule_of` finds a plugin's schedule by its name; the timer of one
/// that is gone is removed. Pure, so that the simulator fires schedules as the daemon does.
///
/// # Errors
/// [`EngineError`] when the timer's row is damaged.
pub fn ticking(
    row: TimerRow,
    now: Timestamp,
    schedule_of: impl FnOnce(&PluginId, &str) -> Option<Schedule>,
) -> Result<Request, EngineError> {
    let payload: TimerPayload = decode_row("a schedule's timer", &row.payload)?;
    let mut due = row.key.due;
    let mut write = Write {
        timers_take: vec![row.key],
        ..Write::default()
    };
    if let Some(schedule) = schedule_of(&payload.plugin, &payload.schedule) {
        let mut missed = 0;
        let mut next = next_after(&schedule, due);
        while let Some(at) = next
            && at <= now
            && missed < MISSED_MAX
        {
            missed += 1;
            due = at;
            next = next_after(&schedule, at);
        }
        if let Some(next) = next {
            let timer = timer_of(&payload, next.max(now.plus_ms(1)))?;
            write.timers_set.push(timer);
        }
        let lane = format!("{}/schedule-{}", payload.plugin, payload.schedule);
        let tick = Delivery::Tick {
            plugin: payload.plugin,
            schedule: payload.schedule,
            due,
            missed,
        };
        let delivery = row_of(Class::Bulk, lane, None, now, &tick);
        write.outbox.push(delivery);
    }
    Ok(Request::Write(Box::new(write)))
}

/// The timer of a schedule's first run after a time; `None` when it never comes due again.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub fn schedule_timer(
    plugin: PluginId,
    name: String,
    schedule: &Schedule,
    after: Timestamp,
) -> Result<Option<TimerRow>, EngineError> {
    let payload = TimerPayload {
        plugin,
        schedule: name,
    };
    let due = next_after(schedule, after);
    due.map(|due| timer_of(&payload, due)).transpose()
}

fn next_after(schedule: &Schedule, after: Timestamp) -> Option<Timestamp> {
    let next = schedule.next_after(u64::try_from(after.0).unwrap_or(0))?;
    Some(Timestamp(i64::try_from(next).unwrap_or(i64::MAX)))
}

fn timer_of(payload: &TimerPayload, due: Timestamp) -> Result<TimerRow, EngineError> {
    let id = format!("{}/{}", payload.plugin, payload.schedule);
    let payload = serde_json::to_value(payload)
        .map_err(|error| EngineError::Damaged(format!("a schedule's timer: {error}")))?;
    Ok(TimerRow {
        key: TimerKey {
            due,
            kind: SCHEDULE_TIMER.to_owned(),
            id,
        },
        payload,
    })
}

#[cfg(test)]
mod tests;
