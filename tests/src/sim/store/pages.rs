//! Planted bugs of pages: of messages, ladders, holds, the fallback and overrides.

use serde_json::json;
use tocsin_store::{Batch, RowChange, RowValue, Store, Table};

use crate::sim::bug::Bug;
use crate::sim::check::text;

/// How late an override ends by a bug, in milliseconds: two hours.
const LATE_MS: i64 = 2 * 60 * 60 * 1_000;

/// Spoils a batch as a bug does; whether there was something to spoil.
pub(super) fn spoil(bug: Bug, batch: &mut Batch) -> bool {
    match bug {
        Bug::BundleForgetsOne => forget_a_page(batch),
        Bug::QuestionForgotten => forget_a_question(batch),
        Bug::RungSkipped => skip_a_rung(batch),
        Bug::HoldEndless => drop_timer(batch, "/hold"),
        Bug::FallbackForgotten => drop_timer(batch, "/fallback"),
        Bug::OverrideEndsLate => end_late(batch),
        _ => false,
    }
}

/// Removes an override, as if a restart had forgotten it.
///
/// # Errors
/// When the store fails.
pub(in crate::sim) fn forget_an_override(store: &dyn Store) -> Result<(), String> {
    let first = store.rows(Table::Override, "", None, 1).map_err(text)?;
    let rows = first.into_iter().map(|(key, _)| RowChange {
        table: Table::Override,
        key,
        value: None,
        expires_at: None,
    });
    let batch = Batch {
        rows: rows.collect(),
        ..Batch::default()
    };
    store.commit(vec![batch]).map(drop).map_err(text)
}

/// An override ends late.
fn end_late(batch: &mut Batch) -> bool {
    let mut rows = batch.rows.iter_mut();
    let over = rows.find(|it| it.table == Table::Override && it.value.is_some());
    let Some(over) = over else {
        return false;
    };
    let value = over.value.take().map(RowValue::into_value);
    let mut value = value.unwrap_or_default();
    let until = value["until"].as_i64().unwrap_or(0);
    value["until"] = json!(until + LATE_MS);
    over.value = Some(value.into());
    true
}

/// The last page of a message is not written with it.
fn forget_a_page(batch: &mut Batch) -> bool {
    let mut parts = batch.rows.iter_mut().filter(|it| it.table == Table::Bundle);
    let Some(part) = parts.next() else {
        return false;
    };
    let mut value = part
        .value
        .take()
        .map(RowValue::into_value)
        .unwrap_or_default();
    let pages = value.pointer_mut("/pages").and_then(|it| it.as_array_mut());
    let is_gone = pages.and_then(Vec::pop).is_some();
    part.value = Some(value.into());
    is_gone
}

/// A question does not wait for its person.
fn forget_a_question(batch: &mut Batch) -> bool {
    let before = batch.rows.len();
    let is_question = |it: &RowChange| it.table == Table::PageQueue && it.key.contains("/q");
    batch
        .rows
        .retain(|it| it.value.is_none() || !is_question(it));
    batch.rows.len() < before
}

/// A page goes to the rung after the next.
fn skip_a_rung(batch: &mut Batch) -> bool {
    let events = batch.appends.iter_mut().flat_map(|it| &mut it.events);
    let mut redirected = events.filter(|it| it["type"] == "page-redirected");
    let Some(event) = redirected.next() else {
        return false;
    };
    let contact = event["data"]["contact"].as_u64().unwrap_or(0);
    event["data"]["contact"] = json!(contact + 1);
    true
}

fn drop_timer(batch: &mut Batch, of: &str) -> bool {
    let before = batch.timers_set.len();
    batch.timers_set.retain(|it| !it.key.id.ends_with(of));
    batch.timers_set.len() < before
}
