//! The loop that looks after the daemon: it reads the vitals, logs what has changed, and sends
//! the heartbeat while all is well.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Check, Level, Vitals, checks, worst};
use crate::app::App;
use crate::runtime::EngineError;

/// How often the vitals are read.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);
/// How long reading them may take: a store that does not answer is unwell.
const READ_MAX: Duration = Duration::from_secs(20);

/// Watches until told to stop.
pub async fn watch(app: Arc<App>, stop: CancellationToken) {
    let mut watched = Watched::default();
    while !stop.is_cancelled() {
        round(&app, &mut watched).await;
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

/// Looks once.
pub(super) async fn round(app: &Arc<App>, watched: &mut Watched) {
    let found = look(app, &mut watched.reading).await;
    tell(&found, &mut watched.known);
    app.metrics.checked(&found);
    if let Some(heartbeat) = &app.heartbeat
        && worst(&found) < Level::Bad
        && app.is_ready()
    {
        heartbeat.beat_if_due().await;
    }
}

/// A read of the vitals that is under way.
type Reading = Option<tokio::task::JoinHandle<Result<Vitals, EngineError>>>;

/// Reads and judges. A read that does not end is left to end, and no other is begun meanwhile:
/// threads that hang on a disk are not to be many.
async fn look(app: &Arc<App>, reading: &mut Reading) -> Vec<Check> {
    let read = reading.get_or_insert_with(|| {
        let reader = Arc::clone(app);
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
    let remedy = "look at the disk of [store] path, and start the daemon again";
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
            Level::Ok => tracing::info!(check = name, "well again: {says}"),
            Level::Warn => tracing::info!(check = name, remedy, "{says}"),
            Level::Bad => tracing::error!(check = name, remedy, "{says}"),
        }
        known.insert(name.clone(), check.level);
    }
}
