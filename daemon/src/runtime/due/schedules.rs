//! Plugins' schedules. Each turn is an ordinary delivery, so that a slow plugin never overlaps
//! itself; the next turn's timer is set in the batch that queues this one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tocsin_core::{PluginId, Timestamp};
use tocsin_store::{Class, TimerKey, TimerRow};

use crate::runtime::delivery::{Delivery, row_of};
use crate::runtime::due::Due;
use crate::runtime::engine::request::{EngineError, Request, Write};
use crate::runtime::state::tables::decode_row;

/// The kind of a schedule's timer row.
pub(crate) const SCHEDULE_TIMER: &str = "schedule";
/// Missed turns that are counted; more are as good as this many.
const MISSED_MAX: u32 = 1_000;
/// Timers that one read brings.
const PAGE_TIMERS: usize = 512;

#[derive(Debug, Serialize, Deserialize)]
struct Turn {
    plugin: PluginId,
    schedule: String,
}

impl Due {
    /// Sets a timer for every schedule of the loaded plugins that has none, and cancels those
    /// of schedules that are gone.
    ///
    /// # Errors
    /// [`EngineError`] when the store or the engine fails.
    pub async fn arm_schedules(&self) -> Result<(), EngineError> {
        let now = self.clock.now();
        let mut wanted: Vec<(String, TimerRow)> = Vec::new();
        for plugin in self.plugins.plugins() {
            for (name, schedule) in plugin.schedules() {
                let turn = Turn {
                    plugin: plugin.id().into(),
                    schedule: name.clone(),
                };
                let after = u64::try_from(now.0).unwrap_or(0);
                if let Some(next) = schedule.next_after(after) {
                    let row = timer_of(&turn, instant(next))?;
                    wanted.push((row.key.id.clone(), row));
                }
            }
        }
        let mut write = Write::default();
        let mut after: Option<TimerKey> = None;
        loop {
            let page = self.view.store().timers(after.as_ref(), PAGE_TIMERS)?;
            for row in page.iter().filter(|row| row.key.kind == SCHEDULE_TIMER) {
                match wanted.iter().position(|(id, _)| *id == row.key.id) {
                    Some(at) => drop(wanted.swap_remove(at)),
                    None => write.timers_cancel.push(row.key.clone()),
                }
            }
            let is_last = page.len() < PAGE_TIMERS;
            after = page.into_iter().next_back().map(|row| row.key);
            if is_last {
                break;
            }
        }
        write
            .timers_set
            .extend(wanted.into_iter().map(|(_, row)| row));
        if !write.timers_set.is_empty() || !write.timers_cancel.is_empty() {
            self.writer.ask(Request::Write(Box::new(write))).await?;
        }
        Ok(())
    }

    pub(crate) async fn fire_schedule(
        self: &Arc<Self>,
        row: TimerRow,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let turn: Turn = decode_row("a schedule's timer", &row.payload)?;
        let mut write = Write {
            timers_take: vec![row.key.clone()],
            ..Write::default()
        };
        let plugin = self.plugins.get(turn.plugin.as_str());
        let schedules = plugin.map(|it| it.schedules()).unwrap_or_default();
        if let Some((_, schedule)) = schedules
            .into_iter()
            .find(|(name, _)| *name == turn.schedule)
        {
            let mut missed = 0;
            let mut due = row.key.due;
            let mut next = schedule.next_after(u64::try_from(due.0).unwrap_or(0));
            while let Some(at) = next.map(instant)
                && at <= now
                && missed < MISSED_MAX
            {
                missed += 1;
                due = at;
                next = schedule.next_after(u64::try_from(at.0).unwrap_or(0));
            }
            let lane = format!("{}/schedule-{}", turn.plugin, turn.schedule);
            let (plugin, schedule) = (turn.plugin.clone(), turn.schedule.clone());
            let parcel = Delivery::Tick {
                plugin,
                schedule,
                due,
                missed,
            };
            let row = row_of(Class::Bulk, lane, None, now, &parcel);
            write.outbox.push(row);
            if let Some(next) = next.map(instant) {
                write
                    .timers_set
                    .push(timer_of(&turn, next.max(now.plus_ms(1)))?);
            }
        }
        self.writer.ask(Request::Write(Box::new(write))).await?;
        Ok(())
    }
}

fn instant(ms: u64) -> Timestamp {
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn timer_of(turn: &Turn, due: Timestamp) -> Result<TimerRow, EngineError> {
    let id = format!("{}/{}", turn.plugin, turn.schedule);
    let payload = serde_json::to_value(turn)
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
