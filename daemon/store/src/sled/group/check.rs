//! The checks before a batch is written.

use std::collections::HashMap;

use super::{Group, keys, value};
use crate::bytes::{name_of, timer_name};
use crate::{Batch, CommandKey, CommitError, Settle, StoreError};

/// The outer error is the store's, the inner one the batch's.
type Checked = Result<Result<(), CommitError>, StoreError>;

impl Group<'_> {
    pub(super) fn check(&mut self, batch: &Batch) -> Checked {
        if let Some(command) = &batch.command
            && let Some(answer) = self.result_of(&command.key)?
        {
            return Ok(Err(CommitError::Duplicate(answer)));
        }
        if let Some(Settle { token, .. }) = &batch.settles
            && !self.state.lanes_of(token.key.class).is_valid(token)
        {
            return Ok(Err(CommitError::Fenced(name_of(&token.key))));
        }
        for timer in &batch.timers_take {
            if self.get(&keys::timer(timer))?.is_none() {
                return Ok(Err(CommitError::TimerTaken(timer_name(timer))));
            }
        }
        let mut appended = HashMap::new();
        for append in &batch.appends {
            let stream = &append.stream;
            let found = match appended.get(stream) {
                Some(version) => *version,
                None => self.version(stream)?,
            };
            let what = || format!("stream {}", stream.0);
            if let Err(conflict) = CommitError::unless_equal(what, append.expected, found) {
                return Ok(Err(conflict));
            }
            appended.insert(stream, found + append.events.len() as u64);
        }
        for pack in &batch.packs {
            let found = self.version(&pack.stream)?;
            let what = || format!("stream {}", pack.stream.0);
            if let Err(conflict) = CommitError::unless_equal(what, pack.expected, found) {
                return Ok(Err(conflict));
            }
        }
        self.check_guards(batch)
    }

    fn check_guards(&self, batch: &Batch) -> Checked {
        for guard in &batch.guards {
            let what = || format!("row {:?}/{}", guard.table, guard.key);
            let row = self.get(&keys::row(guard.table, &guard.key))?;
            let head = row.map(|bytes| value::row_head(&bytes, what)).transpose()?;
            let found = head.map_or(0, |head| head.revision);
            if let Err(conflict) = CommitError::unless_equal(what, guard.revision, found) {
                return Ok(Err(conflict));
            }
        }
        Ok(Ok(()))
    }

    fn result_of(&self, key: &CommandKey) -> Result<Option<serde_json::Value>, StoreError> {
        let stored = self.get(&keys::command(&key.0))?;
        stored
            .map(|bytes| value::command(&bytes, &key.0))
            .transpose()
    }
}
