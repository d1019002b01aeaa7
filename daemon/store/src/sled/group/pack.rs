//! Packs the events of a stream into as few values as possible.

use std::collections::BTreeMap;

use sled::IVec;

use super::{Group, keys};
use crate::{PACK_VALUES_MAX, StoreError, StreamId, chunk};

impl Group<'_> {
    /// Merges the values of a stream. Existing chunks are left unchanged, and so is a damaged
    /// stream, so that `verify` can find the damage.
    pub(super) fn pack(&mut self, stream: &StreamId) -> Result<(), StoreError> {
        let values = self.values(stream)?;
        if values.len() < 2 || values.values().all(|value| chunk::is_chunk(value)) {
            return Ok(());
        }
        let Some(events) = events_of(&values) else {
            return Ok(());
        };
        for key in values.into_keys() {
            self.remove(key);
        }
        let mut version = 0;
        for packed in chunk::pack(&events) {
            version += packed.events;
            self.put(keys::event(stream, version), packed.value);
        }
        Ok(())
    }

    /// The first [`PACK_VALUES_MAX`] values of a stream, including the group's writes so far.
    fn values(&self, stream: &StreamId) -> Result<BTreeMap<Vec<u8>, IVec>, StoreError> {
        let (begin, mut end) = (keys::event(stream, 1), keys::past_stream(stream));
        let mut values = BTreeMap::new();
        for entry in self.disk.db.range(begin.clone()..end.clone()) {
            let (key, value) = entry.map_err(|error| self.disk.io("read", error))?;
            if values.len() == PACK_VALUES_MAX {
                end = key.to_vec();
                break;
            }
            values.insert(key.to_vec(), value);
        }
        for (key, written) in self.writes.range(begin..end) {
            match written {
                Some(value) => values.insert(key.clone(), value.clone()),
                None => values.remove(key),
            };
        }
        Ok(values)
    }
}

/// The JSON of every event in the values of a stream; `None` when one is damaged or missing.
fn events_of(values: &BTreeMap<Vec<u8>, IVec>) -> Option<Vec<Vec<u8>>> {
    let mut events = Vec::new();
    for (key, value) in values {
        events.extend(chunk::unpack(value).ok()?);
        let (_, version) = keys::read_event(key)?;
        if version != events.len() as u64 {
            return None;
        }
    }
    Some(events)
}
