//! Counts a plugin's queued jobs, so that jobs that queue more jobs cannot fill the disk.

use std::sync::Arc;

use tocsin_core::PluginId;
use tocsin_plugin_host::capability::jobs::{JOBS_WAITING_MAX, JobService};
use tocsin_plugin_host::capability::{Reply, ServiceError};
use tocsin_store::{Class, OutboxKey, Store, StoreError};

use super::{DaemonServices, PluginAccess};
use crate::runtime::job_lanes;

/// The delivery classes of jobs.
const CLASSES: [Class; 2] = [Class::State, Class::Bulk];

impl JobService for DaemonServices {
    fn jobs_waiting<'a>(&'a self, plugin: &'a str) -> Reply<'a, usize> {
        Box::pin(async move { waiting(self.access()?, plugin).await })
    }
}

/// Counts up to [`JOBS_WAITING_MAX`], on a thread for blocking work.
async fn waiting(access: &PluginAccess, plugin: &str) -> Result<usize, ServiceError> {
    let lanes = job_lanes(&PluginId::from(plugin));
    let store = Arc::clone(&access.store);
    let counted = tokio::task::spawn_blocking(move || count(store.as_ref(), &lanes)).await;
    let failed = |error: &dyn std::fmt::Display| ServiceError(error.to_string());
    counted
        .map_err(|error| failed(&error))?
        .map_err(|error| failed(&error))
}

fn count(store: &dyn Store, lanes: &str) -> Result<usize, StoreError> {
    let mut waiting = 0;
    for class in CLASSES {
        let before = OutboxKey {
            class,
            lane: lanes.to_owned(),
            seq: 0,
        };
        let rows = store.outbox(class, Some(&before), JOBS_WAITING_MAX)?;
        let of_plugin = rows.iter().take_while(|it| it.key.lane.starts_with(lanes));
        waiting += of_plugin.count();
    }
    Ok(waiting)
}
