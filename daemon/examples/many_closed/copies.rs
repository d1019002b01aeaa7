//! Makes a long history from a short one by copying what a store keeps of closed incidents under
//! other IDs and numbers.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tocsin_store::{
    Append, Batch, Pack, RowChange, SledStore, Store, StoredEvent, StreamId, Table,
};

/// Incidents per read and per commit.
const PAGE_ROWS: usize = 200;
/// The meta row of the last incident's number.
const NUMBER_ROW: &str = "incident-number";
/// Digits at the end of an ID that differ in a copy.
const ID_END: usize = 12;
/// Most events of an incident of the history.
const EVENTS_MAX: usize = 1_000;

/// Copies the incidents of the store in this folder until there are `wanted`.
pub(crate) fn make(folder: &Path, wanted: u64) -> Result<()> {
    let store = SledStore::open(&folder.join("data"))?;
    let number = store.row(Table::Meta, NUMBER_ROW)?;
    let made = number.and_then(|row| row.value.as_u64()).unwrap_or(0);
    if made == 0 {
        bail!("there is no history to copy in {}", folder.display());
    }
    let mut next = made;
    let mut after = None;
    while next < wanted {
        let lines = store.rows(Table::Summary, "", after.as_deref(), PAGE_ROWS)?;
        let (Some((last, _)), Some((first, _))) = (lines.last(), lines.first()) else {
            bail!("there is no incident to copy in {}", folder.display());
        };
        // After the last original, start again with the first.
        let is_past = first.parse::<u64>()? > made;
        after = (!is_past).then(|| last.clone());
        let left = usize::try_from(wanted - next)?;
        let mut group = Vec::new();
        for (_, line) in lines.iter().take(if is_past { 0 } else { left }) {
            next += 1;
            group.push(copy(&store, &line.value, next)?);
        }
        for answer in store.commit(group)? {
            answer?;
        }
    }
    println!("{}", json!({"copied": next - made, "of": made}));
    Ok(())
}

/// A copy of an incident: its events, summary and reference.
fn copy(store: &dyn Store, line: &Value, number: u64) -> Result<Batch> {
    let id = line["id"].as_str().context("a line without an id")?;
    // The end of an id is random; its beginning is its time, which keeps neighbours close.
    let time = id
        .get(..id.len().saturating_sub(ID_END))
        .unwrap_or_default();
    let other = format!("{time}{number:012x}");
    let was = format!("\"number\":{}", line["number"]);
    let renamed = |value: &Value| -> Result<Value> {
        let text = value.to_string().replace(id, &other);
        let text = text.replace(&was, &format!("\"number\":{number}"));
        Ok(serde_json::from_str(&text)?)
    };
    let stream = StreamId(format!("incident/{other}"));
    let events = store.read_stream(&StreamId(format!("incident/{id}")), 0, EVENTS_MAX)?;
    let event = |it: &StoredEvent| renamed(&it.event);
    let events = events.iter().map(event).collect::<Result<_>>()?;
    let row = |table, key, value: Value| RowChange {
        table,
        key,
        value: Some(value.into()),
        expires_at: None,
    };
    Ok(Batch {
        appends: vec![Append {
            stream: stream.clone(),
            expected: 0,
            events,
        }],
        rows: vec![
            row(Table::Summary, format!("{number:012}"), renamed(line)?),
            row(
                Table::Reference,
                format!("slack/channel/C{other}"),
                json!(other),
            ),
            row(Table::Meta, NUMBER_ROW.to_owned(), json!(number)),
        ],
        packs: vec![Pack {
            stream,
            expected: 0,
        }],
        ..Batch::default()
    })
}
