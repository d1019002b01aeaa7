//! Whether alerts are decided on the silences that hold when they are written, and incidents on
//! the changes.

use serde_json::Value;
use tocsin_store::{Batch, Store, Table};

use super::changes::unsuspected;

/// When silences changed, and what was decided on older ones.
#[derive(Default)]
pub(super) struct Silencing {
    /// Where in the feed a silence was last written.
    changed_at: u64,
    broken: Option<String>,
}

/// What to record about a batch once it is committed.
pub(super) struct Seen {
    has_silence: bool,
    /// The alerts that were assessed, and at which position of the feed their silences were read.
    assessed: Vec<(String, u64)>,
    /// An incident that opens without a change that it must suspect.
    unsuspected: Option<String>,
}

impl Seen {
    /// What a batch is about to do to a store.
    pub(super) fn of(batch: &Batch, store: &dyn Store) -> Self {
        let position = |value: &Value| value.get("silences_at").and_then(Value::as_u64);
        let alerts = batch.rows.iter().filter(|row| row.table == Table::Alert);
        let assessed = alerts.filter_map(|row| {
            let after = position(&row.value.clone()?.into_value())?;
            let before = store.row(Table::Alert, &row.key).ok()?;
            // A repeat keeps the position of the assessment before.
            let is_kept = before.is_some_and(|it| position(&it.value) == Some(after));
            (!is_kept).then(|| (row.key.clone(), after))
        });
        Self {
            has_silence: batch.rows.iter().any(|row| row.table == Table::Silence),
            assessed: assessed.collect(),
            unsuspected: unsuspected(batch, store),
        }
    }
}

impl Silencing {
    /// Records what was committed.
    pub(super) fn note(&mut self, seen: Seen, store: &dyn Store) {
        if seen.unsuspected.is_some() {
            self.broken.clone_from(&seen.unsuspected);
        }
        let changed_at = self.changed_at;
        let stale = seen.assessed.into_iter().find(|(_, at)| *at < changed_at);
        if let Some((alert, at)) = stale {
            self.broken = Some(format!(
                "alert {alert} is decided on silences of {at}, which changed at {changed_at}"
            ));
        }
        if let (true, Ok(position)) = (seen.has_silence, store.feed_position()) {
            self.changed_at = position.0;
        }
    }

    /// An alert that was decided on silences that had changed, or an incident that opened without
    /// a change that it must suspect, if there was one.
    pub(super) fn broken(&self) -> Option<String> {
        self.broken.clone()
    }
}
