use std::path::Path;
use std::sync::Arc;

use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_plugin_host::capability::commands::{CommandCaller, CommandService as _};
use tocsin_plugin_host::wit::{self, CommandError};

use crate::plugins::{DaemonServices, PluginAccess};
use crate::rig::Rig;
use crate::runtime::EngineHandle;

/// Has a plugin open an incident in its own name.
async fn opened(rig: &Rig, key: &str, draft: wit::Draft) -> Result<wit::Incident, CommandError> {
    let app = &rig.app;
    let base = EngineHandle {
        clock: rig.clock.clone(),
        view: Arc::clone(&app.view),
        writer: app.writer.clone(),
        metrics: Arc::clone(&app.metrics),
    };
    let access = PluginAccess::new(&base, &app.intake, &app.payloads, &app.subscribers);
    let caller = CommandCaller {
        plugin: "chat".to_owned(),
        key: key.to_owned(),
    };
    let by = wit::Actor {
        kind: "plugin".to_owned(),
        id: "chat".to_owned(),
        display_name: None,
    };
    let services = DaemonServices::new(access);
    services.open_incident(caller, draft, by).await
}

fn draft(service: &str, dedup_key: Option<&str>) -> wit::Draft {
    wit::Draft {
        title: "the shop is slow".to_owned(),
        summary: String::new(),
        services: vec![service.to_owned()],
        grade: None,
        dedup_key: dedup_key.map(str::to_owned),
        refs: Vec::new(),
        extra: "{}".to_owned(),
    }
}

#[tokio::test]
async fn a_plugins_draft_is_checked_like_one_from_the_api() {
    let rig = Rig::new("", Path::new("/nowhere")).await;
    let long = "x".repeat(NAME_BYTES_MAX + 1);
    for (service, key, says) in [
        (long.as_str(), None, "a service's name can have at most"),
        (
            "shop",
            Some(long.as_str()),
            "an incident's key can have at most",
        ),
    ] {
        let refused = opened(&rig, "1", draft(service, key)).await.unwrap_err();
        assert!(
            matches!(&refused, CommandError::Invalid(why) if why.contains(says)),
            "{refused:?}"
        );
    }
    let first = opened(&rig, "2", draft("shop", Some("slow")))
        .await
        .unwrap();
    let repeated = opened(&rig, "2", draft("shop", Some("slow")))
        .await
        .unwrap();
    let another = opened(&rig, "3", draft("shop", Some("slow")))
        .await
        .unwrap();
    assert_eq!([&repeated.id, &another.id], [&first.id, &first.id]);
    let keyless = opened(&rig, "4", draft("shop", Some(""))).await.unwrap();
    assert_ne!(keyless.id, first.id, "an empty key is none");
}
