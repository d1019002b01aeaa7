//! A daemon with a store on disk, the shipped policies and a manual clock.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use tocsin::app::{App, Ingredients};
use tocsin::demo::CONFIG;
use tocsin::runtime::{ManualClock, Subscriber, Subscribers};
use tocsin_core::intake::Assessment;
use tocsin_core::{Labels, Signal, SignalStatus, Timestamp};
use tocsin_plugin_host::EventKind;
use tocsin_store::SledStore;

/// A daemon and its parts.
pub(crate) struct Rig {
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<SledStore>,
    pub(crate) clock: Arc<ManualClock>,
    /// The policies' verdicts on an alert that opens an incident.
    pub(crate) verdicts: Assessment,
}

impl Rig {
    /// A daemon on the store in this folder.
    pub(crate) async fn open(folder: &Path, now: Timestamp) -> Result<Self> {
        let store = Arc::new(SledStore::open(&folder.join("data"))?);
        let clock = Arc::new(ManualClock::new(now));
        let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");
        let text = format!("[policy]\npath = {policies:?}\n{CONFIG}");
        let ingredients = Ingredients {
            clock: clock.clone(),
            ..Ingredients::on(store.clone())?
        };
        let app = App::embed(&text, folder, ingredients).await;
        let app = app.with_context(|| format!("a daemon on {}", folder.display()))?;
        app.subscribers.store(Arc::new(chat()));
        let sample = Arc::new(signal("sample", 1, SignalStatus::Firing, now));
        let verdicts = app.health.assessor.assess(&sample, true, now)?;
        let verdicts = verdicts.context("there are no verdicts on a firing alert")?;
        Ok(Self {
            app,
            store,
            clock,
            verdicts,
        })
    }
}

/// A chat plugin that receives all events and serves all contacts.
fn chat() -> Subscribers {
    let all = [
        EventKind::IncidentOpened,
        EventKind::IncidentChanged,
        EventKind::LogAdded,
        EventKind::Page,
        EventKind::Settled,
    ];
    Subscribers(vec![Subscriber {
        plugin: "slack".into(),
        events: all.into(),
        contacts: ["slack".to_owned()].into(),
        clearance: true,
    }])
}

/// Prometheus's alert for one instance of a cluster.
pub(crate) fn signal(name: &str, instance: u64, status: SignalStatus, now: Timestamp) -> Signal {
    let labels = [
        ("alertname", "HighErrorRate".to_owned()),
        ("cluster", format!("eu-{name}")),
        ("environment", "production".to_owned()),
        (
            "instance",
            format!("10.2.{}.{}:9100", instance / 250, instance % 250),
        ),
        ("job", "checkout-api".to_owned()),
        ("namespace", "shop".to_owned()),
        ("service", format!("checkout-{name}")),
        ("severity", "critical".to_owned()),
        ("team", "payments".to_owned()),
    ];
    let summary = "5xx answers are above 5 % of all answers for ten minutes".to_owned();
    let annotations = [
        (
            "runbook_url",
            "https://runbooks.example.org/checkout/errors".to_owned(),
        ),
        ("summary", summary.clone()),
    ];
    let owned = |all: &[(&str, String)]| -> Labels {
        let pairs = all
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()));
        pairs.collect()
    };
    Signal {
        integration: "prometheus".into(),
        fingerprint: format!("{name}-{instance:016x}").into(),
        status,
        title: format!("HighErrorRate: checkout-{name} answers with errors"),
        summary,
        labels: owned(&labels),
        annotations: owned(&annotations),
        starts_at: now,
        ends_at: Some(now.plus_ms(240_000)),
        link: Some("https://prometheus.example.org/graph?g0.expr=errors".to_owned()),
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    }
}
