use std::path::Path;
use std::sync::Arc;

use tocsin_plugin_host::capability::kv::{
    KV_BYTES_MAX, KV_KEYS_MAX, KV_VALUE_BYTES_MAX, KvService as _, KvUsage,
};
use tocsin_plugin_host::wit::KvError;

use crate::mail::Relays;
use crate::plugins::{DaemonServices, PluginAccess};
use crate::rig::{NOW, Rig};
use crate::runtime::EngineHandle;
use crate::runtime::state::tables::plugin_kv;

const TTL_MS: u64 = 60_000;

async fn rig() -> Rig {
    Rig::new("", Path::new("/nowhere")).await
}

fn services(rig: &Rig) -> DaemonServices {
    let app = &rig.app;
    let base = EngineHandle {
        clock: rig.clock.clone(),
        view: Arc::clone(&app.view),
        writer: app.writer.clone(),
        metrics: Arc::clone(&app.metrics),
    };
    let access = PluginAccess::new(
        &base,
        (&app.intake, &app.on_call, &app.silences),
        &app.payloads,
        &app.subscribers,
        Relays::default(),
    );
    DaemonServices::new(access)
}

#[tokio::test]
async fn keys_that_have_expired_make_room_in_a_plugins_full_store() {
    let rig = rig().await;
    let services = services(&rig);
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
    rig.clock.set(NOW.plus_ms(TTL_MS));
    set("yet-one".to_owned()).await.unwrap();
}

#[tokio::test]
async fn two_daemons_on_one_store_give_a_plugin_one_quota() {
    let one = rig().await;
    let other = one.another().await;
    let both = [services(&one), services(&other)];
    let set = async |at: usize, key: &str| {
        let value = vec![b'x'; KV_VALUE_BYTES_MAX];
        both[at % 2].kv_set("chat", key, value, None).await
    };
    // Two less than the values alone would fill: keys count too, and the last room is fought for.
    let count = usize::try_from(KV_BYTES_MAX).unwrap() / KV_VALUE_BYTES_MAX - 2;
    for number in 0..count {
        set(number, &format!("k{number}")).await.unwrap();
    }
    let (one, other) = tokio::join!(set(0, "last"), set(1, "last-too"));
    let refusals: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
    assert!(
        matches!(refusals.as_slice(), [KvError::Quota(_)]),
        "{refusals:?}"
    );
    for at in [0, 1] {
        let refused = set(at, "one-more").await;
        assert!(matches!(refused, Err(KvError::Quota(_))), "{refused:?}");
    }
    assert!(both[0].kv_delete("chat", "k0").await.unwrap());
    set(1, "one-more").await.unwrap();
    let refused = set(0, "yet-one").await;
    assert!(matches!(refused, Err(KvError::Quota(_))), "{refused:?}");
}

#[tokio::test]
async fn a_key_that_is_written_and_deleted_leaves_nothing_counted() {
    let rig = rig().await;
    let (services, store) = (services(&rig), &rig.store);
    let mut revisions = Vec::new();
    // Lengths of one part and of several, with and without padding.
    for length in [0, 1, 2, 3, 5_120, 5_121, 20_000] {
        let set = services.kv_set("chat", "key", vec![b'x'; length], None);
        revisions.push(set.await.unwrap());
        let entry = services.kv_get("chat", "key").await.unwrap().unwrap();
        assert_eq!(Some(&entry.revision), revisions.last());
        let usage = plugin_kv::usage(store.as_ref(), "chat").unwrap().unwrap();
        assert_eq!(usage.value.bytes, (length + "key".len()) as u64);
    }
    assert!(services.kv_delete("chat", "key").await.unwrap());
    let usage = plugin_kv::usage(store.as_ref(), "chat").unwrap().unwrap();
    assert_eq!(usage.value, KvUsage::default());
}
