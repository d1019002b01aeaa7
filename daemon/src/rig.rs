//! A daemon with an in-memory store and a manual clock, for unit tests.

use std::path::Path;
use std::sync::Arc;

use tocsin_core::Timestamp;
use tocsin_store::MemoryStore;

use crate::app::{App, Ingredients};
use crate::config::{self, Config};
use crate::runtime::ManualClock;

/// 2026-01-31T12:10:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_769_861_400_000);

/// The daemon under test. Nothing runs in the background.
pub(crate) struct Rig {
    pub(crate) app: Arc<App>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<MemoryStore>,
}

impl Rig {
    /// A daemon with this configuration, whose paths are relative to `folder`.
    pub(crate) async fn new(config: &str, folder: &Path) -> Self {
        let loaded = config::parse(config, "tocsin.toml", folder).unwrap();
        let clock = Arc::new(ManualClock::new(NOW));
        Self::on(loaded.config, clock, Arc::new(MemoryStore::new())).await
    }

    /// A new daemon with the same store, as after a restart.
    pub(crate) async fn again(&self, config: Config) -> Self {
        Self::on(config, Arc::clone(&self.clock), Arc::clone(&self.store)).await
    }

    /// Another daemon with the same configuration and store.
    pub(crate) async fn another(&self) -> Self {
        self.again((*self.app.config).clone()).await
    }

    async fn on(config: Config, clock: Arc<ManualClock>, store: Arc<MemoryStore>) -> Self {
        let ingredients = Ingredients {
            clock: clock.clone(),
            ..Ingredients::on(store.clone()).unwrap()
        };
        let app = App::build(config, ingredients).await.unwrap();
        app.set_ready();
        Self { app, clock, store }
    }
}
