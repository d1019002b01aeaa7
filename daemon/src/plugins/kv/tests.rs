use std::path::Path;
use std::sync::Arc;

use tocsin_plugin_host::capability::kv::{KV_KEYS_MAX, KvService as _};
use tocsin_plugin_host::wit::KvError;

use crate::plugins::{DaemonServices, PluginAccess};
use crate::rig::{NOW, Rig};
use crate::runtime::EngineHandle;

const TTL_MS: u64 = 60_000;

#[tokio::test]
async fn keys_that_have_expired_make_room_in_a_plugins_full_store() {
    let Rig { app, clock, .. } = Rig::new("", Path::new("/nowhere")).await;
    let base = EngineHandle {
        clock: clock.clone(),
        view: Arc::clone(&app.view),
        writer: app.writer.clone(),
        metrics: Arc::clone(&app.metrics),
    };
    let access = PluginAccess::new(&base, &app.intake, &app.payloads, &app.subscribers);
    let services = DaemonServices::new(access);
    let set = async |key: String| {
        let value = vec![b'x'; 8];
        services.kv_set("chat", &key, value, Some(TTL_MS)).await
    };
    for number in 0..KV_KEYS_MAX {
        set(format!("k{number}")).await.unwrap();
    }
    let refused = set("one-more".to_owned()).await;
    assert!(matches!(refused, Err(KvError::Quota(_))), "{refused:?}");
    set("k7".to_owned()).await.unwrap();
    assert!(services.kv_delete("chat", "k8").await.unwrap());
    set("one-more".to_owned()).await.unwrap();
    let refused = set("yet-one".to_owned()).await;
    assert!(matches!(refused, Err(KvError::Quota(_))), "{refused:?}");
    clock.set(NOW.plus_ms(TTL_MS));
    set("yet-one".to_owned()).await.unwrap();
}
