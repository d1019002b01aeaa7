//! Sweeps of two daemons on one store.

use std::path::Path;

use tocsin_core::{Labels, Signal, SignalStatus};

use super::*;
use crate::rig::{NOW, Rig};

#[tokio::test]
async fn an_alert_that_another_daemon_has_heard_of_again_does_not_end() {
    let one = Rig::new("", Path::new("/nowhere")).await;
    let other = one.another().await;
    let signal = |until: Timestamp| Signal {
        integration: "prometheus".into(),
        fingerprint: "f".into(),
        status: SignalStatus::Firing,
        title: "it is slow".to_owned(),
        summary: String::new(),
        labels: Labels::new(),
        annotations: Labels::new(),
        starts_at: NOW,
        ends_at: Some(until),
        link: None,
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    };
    let until = NOW.plus_ms(4 * MINUTE_MS);
    one.app.intake.take(vec![signal(until)]).await.unwrap();
    let again = signal(until.plus_ms(MINUTE_MS));
    other.app.intake.take(vec![again]).await.unwrap();
    let lapsed = |now| lapses(&one.app.view, &one.app.leases, now).unwrap().len();
    assert_eq!(lapsed(until), 0);
    assert_eq!(lapsed(until.plus_ms(MINUTE_MS)), 1);
}
