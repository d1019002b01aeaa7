//! Whether incidents suspect the changes that were made before they open.

use std::collections::BTreeSet;

use tocsin_core::limits::SUSPECTS_MAX;
use tocsin_core::{ChangeId, Event, Recorded};
use tocsin_store::encoding::decode;
use tocsin_store::{Batch, Store, Table};

use crate::sim::world::DELAYS;

/// An incident that a batch opens although a change to its service is stored that it must suspect
/// and does not.
pub(super) fn unsuspected(batch: &Batch, store: &dyn Store) -> Option<String> {
    let streams = batch.appends.iter();
    let decoded = streams.map(|append| append.events.iter().filter_map(|it| decode(it).ok()));
    decoded
        .map(Iterator::collect::<Vec<_>>)
        .find_map(|events| missed(&events, store))
}

fn missed(events: &[Recorded], store: &dyn Store) -> Option<String> {
    let first = events.first()?;
    let Event::Opened(opened) = &first.event else {
        return None;
    };
    let suspected = events.iter().filter_map(|it| match &it.event {
        Event::ChangeSuspected { change, .. } => Some(&change.id),
        _ => None,
    });
    let suspected: BTreeSet<&ChangeId> = suspected.collect();
    let row = store.row(Table::ServiceChange, &opened.service).ok()??;
    let newest = row.value["newest"].as_array()?.iter().rev();
    let from = first.at.minus_ms(DELAYS.suspect_within_ms).0;
    let is_near = |at: Option<i64>| at.is_some_and(|at| at >= from);
    let near = newest.filter(|it| is_near(it["at"].as_i64()));
    let mut near = near.filter_map(|it| Some(ChangeId::from(it["id"].as_str()?)));
    // Of more than it lists, others may be as near.
    let missed = match suspected.len() {
        ..SUSPECTS_MAX => near.find(|it| !suspected.contains(it)),
        _ => None,
    };
    let number = opened.number;
    missed.map(|it| format!("incident {number} opened and does not suspect {it}"))
}
