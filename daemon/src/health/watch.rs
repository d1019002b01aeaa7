//! The health loop: reads the vitals, logs changes, and sends the heartbeat while nothing is bad.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::publish::publish_checks;
use super::{Check, Level, Subject, Vitals, checks, worst};
use crate::runtime::EngineError;

/// How often the vitals are read.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);
/// How long reading the vitals may take; after that the store is reported as bad.
const READ_MAX: Duration = Duration::from_secs(20);

/// Runs the health loop until `stop`. No heartbeat is sent while the daemon is not ready.
pub async fn watch(
    subject: Arc<Subject>,
    is_ready: impl Fn() -> bool + Send,
    stop: CancellationToken,
) {
    let mut state = WatchState::default();
    while !stop.is_cancelled() {
        round(&subject, is_ready(), &mut state).await;
        tokio::select! {
            () = tokio::time::sleep(WATCH_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// State between rounds.
#[derive(Default)]
pub(super) struct WatchState {
    known: BTreeMap<String, Level>,
    reading: Reading,
}

/// One round: probe the relay, read the vitals, check and log them, and send the heartbeat.
pub(super) async fn round(subject: &Arc<Subject>, is_ready: bool, state: &mut WatchState) {
    if let Some(relay) = &subject.relay {
        relay.probe_if_due().await;
    }
    let found = check(subject, &mut state.reading).await;
    log_changes(&found, &mut state.known);
    publish_checks(&found, &subject.metrics);
    if let Some(heartbeat) = &subject.heartbeat
        && worst(&found) < Level::Bad
        && is_ready
    {
        heartbeat.beat_if_due().await;
    }
}

/// A read of the vitals in progress.
type Reading = Option<tokio::task::JoinHandle<Result<Vitals, EngineError>>>;

/// Reads and checks the vitals. While a read hangs, no other is started, so that a broken disk
/// blocks only one thread.
async fn check(subject: &Arc<Subject>, reading: &mut Reading) -> Vec<Check> {
    let read = reading.get_or_insert_with(|| {
        let reader = Arc::clone(subject);
        tokio::task::spawn_blocking(move || Vitals::read(&reader))
    });
    let why = match tokio::time::timeout(READ_MAX, read).await {
        Err(_) => format!("no answer within {} s", READ_MAX.as_secs()),
        Ok(ended) => {
            *reading = None;
            match ended {
                Ok(Ok(vitals)) => return checks(&vitals),
                Ok(Err(error)) => error.to_string(),
                Err(error) => error.to_string(),
            }
        }
    };
    let remedy = "check the disk of [store] path, and restart the daemon";
    let says = format!("cannot be read: {why}");
    vec![Check::wrong("store", Level::Bad, says, remedy)]
}

/// Logs only checks whose level has changed.
fn log_changes(found: &[Check], known: &mut BTreeMap<String, Level>) {
    let before = std::mem::take(known);
    for check in found {
        let was = before.get(&check.name).copied().unwrap_or_default();
        let Check { name, says, .. } = check;
        let remedy = check.remedy.as_deref().unwrap_or_default();
        match check.level {
            level if level == was => {}
            Level::Ok => tracing::info!(check = name, "ok again: {says}"),
            Level::Warn => tracing::info!(check = name, remedy, "{says}"),
            Level::Bad => tracing::error!(check = name, remedy, "{says}"),
        }
        known.insert(name.clone(), check.level);
    }
}
