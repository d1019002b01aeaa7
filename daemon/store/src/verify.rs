//! Reads everything in a store or a backup, and reports damage.

use serde_json::Value;

use crate::{Class, Store, StoreError, StreamId, Table, encoding};

/// Most faults listed in a report; all are counted.
pub const FAULTS_MAX: usize = 100;
/// How many entries are read at a time.
const PAGE: usize = 256;

/// What [`verify`] read, and the faults it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    pub streams: u64,
    /// Events in them.
    pub events: u64,
    /// Rows of all tables.
    pub rows: u64,
    pub deliveries: u64,
    /// Timers that are set.
    pub timers: u64,
    /// Each fault with its location; the first [`FAULTS_MAX`].
    pub faults: Vec<String>,
    /// The total number of faults.
    pub fault_count: u64,
}

impl VerifyReport {
    /// Whether there are no faults.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.fault_count == 0
    }

    fn fault(&mut self, fault: String) {
        self.fault_count += 1;
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

/// Reads every stream, row, delivery and timer: each must decode, streams must have no gaps, and
/// this release must be able to read every event.
pub fn verify(store: &dyn Store) -> VerifyReport {
    verify_events(store, |event| match encoding::decode(event) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    })
}

/// Like [`verify`], with a custom check of events.
pub fn verify_events(
    store: &dyn Store,
    check: impl Fn(&Value) -> Result<(), String>,
) -> VerifyReport {
    let mut report = VerifyReport::default();
    read_streams(store, &check, &mut report);
    for table in Table::ALL {
        let what = format!("the rest of table {table:?} was not read");
        let read = |after: Option<&String>| {
            let page = store.rows(table, "", after.map(String::as_str), PAGE)?;
            Ok(page.into_iter().map(|(key, _)| key).collect())
        };
        report.rows += count(&what, read, &mut report);
    }
    for class in Class::ALL {
        let what = format!("the rest of outbox {class:?} was not read");
        let read = |after: Option<&_>| {
            let page = store.outbox(class, after, PAGE)?;
            Ok(page.into_iter().map(|row| row.key).collect())
        };
        report.deliveries += count(&what, read, &mut report);
    }
    let read = |after: Option<&_>| {
        let page = store.timers(after, PAGE)?;
        Ok(page.into_iter().map(|timer| timer.key).collect())
    };
    report.timers = count("the rest of the timers was not read", read, &mut report);
    report
}

/// Counts entries page by page. An unreadable entry ends the count, since its key is unknown.
fn count<K>(
    what: &str,
    read: impl Fn(Option<&K>) -> Result<Vec<K>, StoreError>,
    report: &mut VerifyReport,
) -> u64 {
    let mut total = 0;
    let mut last: Option<K> = None;
    loop {
        let mut page = match read(last.as_ref()) {
            Ok(page) => page,
            Err(error) => {
                report.fault(format!("{error}; {what}"));
                return total;
            }
        };
        total += page.len() as u64;
        let Some(key) = page.pop() else { return total };
        last = Some(key);
    }
}

fn read_streams(
    store: &dyn Store,
    check: &impl Fn(&Value) -> Result<(), String>,
    report: &mut VerifyReport,
) {
    let mut last: Option<StreamId> = None;
    loop {
        let page = match store.streams(last.as_ref(), PAGE) {
            Ok(page) => page,
            Err(error) => {
                return report.fault(format!("{error}; the rest of the streams was not read"));
            }
        };
        let Some((stream, _)) = page.last() else {
            return;
        };
        last = Some(stream.clone());
        for (stream, version) in page {
            report.streams += 1;
            read_stream(store, &stream, version, check, report);
        }
    }
}

fn read_stream(
    store: &dyn Store,
    stream: &StreamId,
    version: u64,
    check: &impl Fn(&Value) -> Result<(), String>,
    report: &mut VerifyReport,
) {
    let mut after = 0;
    let mut limit = PAGE;
    while after < version {
        let events = match store.read_stream(stream, after, limit) {
            Ok(events) => events,
            // Something in the page is damaged: read single events up to it, then skip it.
            Err(_) if limit > 1 => {
                limit = 1;
                continue;
            }
            Err(error) => {
                report.fault(error.to_string());
                after += 1;
                continue;
            }
        };
        if events.is_empty() {
            let first = after + 1;
            return report.fault(format!("stream {} ends before event {first}", stream.0));
        }
        for stored in events {
            if stored.version != after + 1 {
                let (from, to) = (after + 1, stored.version - 1);
                report.fault(format!("stream {} lacks events {from} to {to}", stream.0));
            }
            after = stored.version;
            report.events += 1;
            if let Err(reason) = check(&stored.event) {
                report.fault(format!("event {after} of stream {}: {reason}", stream.0));
            }
        }
    }
}
