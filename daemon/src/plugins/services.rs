//! [`DaemonServices`], which implements the plugins' capabilities; each has its own file.

use std::sync::Arc;

use tocsin_plugin_host::capability::ServiceError;
use tocsin_plugin_host::capability::clock::ClockService;

use super::PluginAccess;
use super::kv::KvWrites;
use crate::runtime::Clock;

/// The daemon's services for plugins.
pub struct DaemonServices {
    clock: Arc<dyn Clock>,
    /// `None` when plugins are loaded without a daemon.
    access: Option<PluginAccess>,
    pub(super) kv_writes: KvWrites,
}

impl DaemonServices {
    /// Services of a running daemon.
    #[must_use]
    pub fn new(access: PluginAccess) -> Self {
        Self {
            clock: Arc::clone(&access.clock),
            access: Some(access),
            kv_writes: KvWrites::default(),
        }
    }

    /// Services that are unavailable: for loading plugins without a daemon.
    #[must_use]
    pub fn offline(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            access: None,
            kv_writes: KvWrites::default(),
        }
    }

    pub(super) fn access(&self) -> Result<&PluginAccess, ServiceError> {
        let offline = || ServiceError("no daemon is running".to_owned());
        self.access.as_ref().ok_or_else(offline)
    }
}

impl ClockService for DaemonServices {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.now().0).unwrap_or(0)
    }
}
