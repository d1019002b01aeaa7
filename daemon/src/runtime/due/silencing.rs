//! The sweep over alerts in incidents after silences have begun or ended: tells the engine of each
//! alert whose silences have changed. It goes by pages, so that thousands of alerts under one
//! silence delay nothing else.

use std::sync::Arc;

use tocsin_core::alert::{Alert, Place};
use tocsin_core::command::Refusal;
use tocsin_core::intake::{EndedSilence, Silencing};
use tocsin_core::{SilenceRef, Timestamp, limits};
use tocsin_store::{CommitError, Store};

use crate::runtime::due::Due;
use crate::runtime::engine::request::Request;
use crate::runtime::error::EngineError;
use crate::runtime::registry::silences::Silences;
use crate::runtime::state::tables::alert::ALERTS;
use crate::runtime::state::tables::hidden;
use crate::silence::{Silence, SilenceState};

/// Alerts per page.
const PAGE_ALERTS: usize = 1_000;
/// Most pages per sweep; the next one goes on.
const PAGES_MAX: usize = 8;

/// How far the alerts were looked at since silences last began or ended.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// The IDs of the active silences; `None` before the first round.
    active: Option<Vec<String>>,
    /// The last alert that was looked at.
    after: String,
    left: Left,
}

/// Which alerts are left to look at.
#[derive(Debug, Default, PartialEq, Eq)]
enum Left {
    #[default]
    None,
    /// Those up to the end, and then from the start up to this one.
    ToEndAndUpTo(String),
    UpTo(String),
    ToEnd,
}

impl Round {
    /// A round begins where the last one is, so that it ends even if silences change all the time.
    fn begin(&mut self, active: Vec<String>) {
        if self.active.as_ref() != Some(&active) {
            self.active = Some(active);
            self.left = match self.after.as_str() {
                "" => Left::ToEnd,
                after => Left::ToEndAndUpTo(after.to_owned()),
            };
        }
    }

    fn is_over(&self) -> bool {
        self.left == Left::None
    }

    /// Notes a page whose last alert is `last`; `None` when the table ends with it.
    fn note(&mut self, last: Option<String>) {
        let left = std::mem::take(&mut self.left);
        let (after, left) = match (left, last) {
            (Left::ToEndAndUpTo(key), None) => (String::new(), Left::UpTo(key)),
            (Left::UpTo(key), Some(last)) if last >= key => (last, Left::None),
            (left, Some(last)) => (last, left),
            (_, None) => (String::new(), Left::None),
        };
        (self.after, self.left) = (after, left);
    }
}

/// A page of the round, as requests to the engine.
pub struct SilencingPage {
    pub requests: Vec<Request>,
    /// The last alert; `None` when there are no more.
    pub last: Option<String>,
}

/// The alerts after a key whose silences differ from those that their rows name, at most
/// `limit` looked at. Shared with the simulator.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn silencing_page(
    store: &dyn Store,
    silences: &Silences,
    after: &str,
    limit: usize,
    now: Timestamp,
) -> Result<SilencingPage, EngineError> {
    // Before the alerts are read: the engine refuses what has changed since.
    let (active, read_at) = silences.in_force(now)?;
    let page = ALERTS.page(store, "", Some(after), limit)?;
    let is_last = page.len() < limit;
    let last = page.last().map(|(key, _)| key.clone());
    let mut requests = Vec::new();
    for (key, alert) in page.into_iter().map(|(key, row)| (key, row.value)) {
        let by: Vec<&Arc<Silence>> = active
            .iter()
            .filter(|it| it.matches(&alert.labels))
            .take(limits::SILENCED_BY_MAX)
            .collect();
        if !may_be_silenced(&alert) || alert.silenced_by.iter().eq(by.iter().map(|it| &it.id)) {
            continue;
        }
        let silencing = Silencing {
            by: by.iter().map(|it| it.reference()).collect(),
            ended: ended(&alert, store, silences, now)?,
            labels: alert.labels,
            silences_at: Some(read_at.position.0),
            silences_mark: Some(read_at.mark),
            silences_until: silences.next_change(now),
        };
        requests.push(Request::Silencing {
            alert: key,
            silencing: Box::new(silencing),
        });
    }
    Ok(SilencingPage {
        requests,
        last: last.filter(|_| !is_last),
    })
}

fn may_be_silenced(alert: &Alert) -> bool {
    let is_there = matches!(alert.place, Place::Incident { .. } | Place::Waiting { .. });
    alert.firing && is_there
}

/// The silences that an alert's row names and that have ended.
fn ended(
    alert: &Alert,
    store: &dyn Store,
    silences: &Silences,
    now: Timestamp,
) -> Result<Vec<EndedSilence>, EngineError> {
    let all = silences.all();
    let mut ended = Vec::new();
    for id in &alert.silenced_by {
        let known = all.iter().find(|it| it.id == *id);
        if known.is_some_and(|it| it.state(now) != SilenceState::Expired) {
            continue;
        }
        ended.push(EndedSilence {
            silence: known.map_or_else(|| SilenceRef::new(id, "", ""), |it| it.reference()),
            alerts: hidden::by(store, id)?.alerts,
        });
    }
    Ok(ended)
}

impl Due {
    /// Tells the engine which alerts in incidents are silenced now, and which no longer are.
    /// Returns how many.
    pub(super) async fn follow_silences(&self, now: Timestamp) -> Result<usize, EngineError> {
        let mut round = self.silencing.lock().await;
        let mut told = 0;
        for _ in 0..PAGES_MAX {
            let (active, _) = self.silences.in_force(now)?;
            round.begin(active.iter().map(|it| it.id.clone()).collect());
            if round.is_over() {
                break;
            }
            let store = self.view.store();
            let page = silencing_page(store, &self.silences, &round.after, PAGE_ALERTS, now)?;
            let asked = page.requests.len();
            if !self.tell(page.requests).await? {
                // The page is looked at again with the next sweep.
                break;
            }
            told += asked;
            round.note(page.last);
        }
        Ok(told)
    }

    /// Whether no request has to be made again.
    async fn tell(&self, requests: Vec<Request>) -> Result<bool, EngineError> {
        let mut pending = Vec::with_capacity(requests.len());
        for request in requests {
            pending.push(self.writer.enqueue_when_free(request).await?);
        }
        let mut are_done = true;
        for answer in pending {
            match answer.answer().await {
                Ok(_) => {}
                Err(error @ (EngineError::Store(_) | EngineError::Stopping)) => return Err(error),
                Err(error) if is_overtaken(&error) => are_done = false,
                // It must not keep the others from being looked at.
                Err(error) => tracing::error!(%error, "the silences of an alert are not recorded"),
            }
        }
        Ok(are_done)
    }
}

/// Whether the alert, its incident or a silence has changed meanwhile.
fn is_overtaken(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Refused(Refusal::NeedsVerdict)
            | EngineError::Commit(CommitError::Conflict { .. } | CommitError::Skipped)
            | EngineError::Overloaded
    )
}

#[cfg(test)]
mod tests;
