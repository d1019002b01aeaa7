//! A daemon over a store in memory, for tests that ask the whole of it.

use std::path::Path;
use std::sync::Arc;

use tocsin_store::MemoryStore;

use super::{App, Ingredients};
use crate::auth::AckKey;
use crate::config;
use crate::runtime::ManualClock;

/// A daemon that was not started: what is due waits for a turn.
pub(crate) async fn app_on(
    store: &Arc<MemoryStore>,
    clock: &Arc<ManualClock>,
    configured: &str,
) -> Arc<App> {
    let ingredients = Ingredients {
        clock: clock.clone(),
        store: store.clone(),
        cache: None,
        policies_kept: None,
        ack_key: AckKey::random().unwrap(),
    };
    let loaded = config::parse(configured, "tocsin.toml", Path::new("/nowhere")).unwrap();
    App::build(loaded.config, ingredients).await.unwrap()
}
