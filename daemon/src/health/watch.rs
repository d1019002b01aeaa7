//! The loop that watches the daemon: it reads the vitals, logs what changed, and sends the
//! heartbeat while nothing is bad.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::publish::publish_checks;
use super::{Check, Level, Subject, Vitals, checks, worst};
use crate::runtime::EngineError;

/// How often the vitals are read.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);
/// How long reading them may take; a store that takes longer is reported as bad.
const READ_MAX: Duration = Duration::from_secs(20);

/// Watches until told to stop. While the daemon is not ready it sends no heartbeat.
pub async fn watch(
    subject: Arc<Subject>,
    is_ready: impl Fn() -> bool + Send,
    stop: CancellationToken,
) {
    let mut watched = Watched::default();
    while !stop.is_cancelled() {
        round(&subject, is_ready(), &mut watched).await;
        tokio::select! {
            () = tokio::time::sleep(WATCH_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// What one round leaves for the next.
#[derive(Default)]
pub(super) struct Watched {
    known: BTreeMap<String, Level>,
    reading: Reading,
}

/// One round: probe the relay, read, judge, log, and send the heartbeat.
pub(super) async fn round(subject: &Arc<Subject>, is_ready: bool, watched: &mut Watched) {
    if let Some(relay) = &subject.relay {
        relay.probe_if_due().await;
    }
    let found = look(subject, &mut watched.reading).await;
    tell(&found, &mut watched.known);
    publish_checks(&found, &subject.metrics);
    if let Some(heartbeat) = &subject.heartbeat
        && worst(&found) < Level::Bad
        && is_ready
    {
        heartbeat.beat_if_due().await;
    }
}

/// A read of the vitals that is under way.
type Reading = Option<tokio::task::JoinHandle<Result<Vitals, EngineError>>>;

/// Reads and judges. While a read hangs no other is started, so that a broken disk holds one
/// thread and not many.
async fn look(subject: &Arc<Subject>, reading: &mut Reading) -> Vec<Check> {
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

/// Logs a check whose level has changed, and no other: what stays bad fills no log.
fn tell(found: &[Check], known: &mut BTreeMap<String, Level>) {
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
