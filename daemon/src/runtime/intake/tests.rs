//! What a decision was made on: two daemons on one store.

use std::fs;

use serde_json::json;
use tempfile::TempDir;
use tocsin_core::alert::Place;
use tocsin_core::event::Event;
use tocsin_core::{Alert, Labels};
use tocsin_store::{MemoryStore, Store as _};

use super::*;
use crate::app::App;
use crate::rig::{NOW, Rig};
use crate::runtime::events_of;

const ROUTING: &str = r#"
fn route(alert) {
    #{ key: alert.label("service"), service: alert.label("service"), reason: "by service" }
}
"#;
const GRADING: &str = r#"
fn grade(incident, alert) {
    #{ grade: "minor", reason: `${incident.alerts.firing} fire` }
}
"#;
const ESCALATION: &str = r#"
fn escalate(incident) {
    #{ steps: [#{ page: person("ada"), wait: minutes(5) }], reason: "ada" }
}
"#;

/// Two daemons on one store, and the folder of their policies.
struct Two {
    store: Arc<MemoryStore>,
    one: Arc<App>,
    other: Arc<App>,
    _folder: TempDir,
}

impl Two {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let texts = [ROUTING, GRADING, ESCALATION];
        for (name, text) in ["routing", "grading", "escalation"].into_iter().zip(texts) {
            let path = folder.path().join(format!("{name}.rhai"));
            fs::write(path, format!("// Says what it sees.\n{text}")).unwrap();
        }
        let config = format!("[policy]\npath = {:?}\n", folder.path());
        let one = Rig::new(&config, folder.path()).await;
        let other = one.another().await;
        Self {
            store: one.store,
            one: one.app,
            other: other.app,
            _folder: folder,
        }
    }

    fn position(&self) -> Option<u64> {
        Some(self.store.feed_position().unwrap().0)
    }
}

fn signal(number: u64) -> Signal {
    Signal {
        integration: "prometheus".into(),
        fingerprint: format!("f{number}").as_str().into(),
        status: SignalStatus::Firing,
        title: "it is slow".to_owned(),
        summary: String::new(),
        labels: [("service".to_owned(), "shop".to_owned())].into(),
        annotations: Labels::new(),
        starts_at: NOW,
        ends_at: None,
        link: None,
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    }
}

async fn silence_the_shop(app: &App) -> String {
    let posted = serde_json::from_value(json!({
        "matchers": [{ "name": "service", "value": "shop", "isRegex": false }],
        "startsAt": "2026-01-31T12:00:00Z",
        "endsAt": "2026-01-31T14:00:00Z",
        "createdBy": "ada",
        "comment": "upgrade",
    }));
    let set = app
        .silences
        .set(posted.unwrap(), "one", NOW, &app.writer)
        .await;
    set.unwrap()
}

fn alert(app: &App, number: u64) -> Alert {
    let key = Alert::row_key(&"prometheus".into(), &format!("f{number}").as_str().into());
    app.view.alert(&key).unwrap().unwrap()
}

#[tokio::test]
async fn a_silence_that_another_daemon_has_just_set_holds_an_alert_back() {
    let two = Two::start().await;
    let id = silence_the_shop(&two.other).await;
    let read_at = two.position();
    two.one.intake.take(vec![signal(1)]).await.unwrap();
    let alert = alert(&two.one, 1);
    assert_eq!(alert.place, Place::Silenced { by: vec![id] });
    assert_eq!(alert.silences_at, read_at);
}

#[tokio::test]
async fn no_decision_is_made_on_silences_that_have_changed_since_they_were_read() {
    for by_itself in [true, false] {
        let two = Two::start().await;
        let observed = Observed {
            signal: Arc::new(signal(1)),
            last_seen: None,
        };
        let assessor = &two.one.health.assessor;
        let assessed = assessor.assess(&observed.signal, false, NOW).unwrap();
        silence_the_shop(if by_itself { &two.one } else { &two.other }).await;
        let request = observed.clone().request(assessed.map(Box::new));
        let decided = two.one.writer.ask(request).await;
        assert!(
            matches!(decided, Err(EngineError::Refused(Refusal::NeedsVerdict))),
            "{decided:?}"
        );
        let again = assessor.assess(&observed.signal, true, NOW).unwrap();
        let request = observed.request(again.map(Box::new));
        two.one.writer.ask(request).await.unwrap();
        let place = alert(&two.one, 1).place;
        assert!(matches!(place, Place::Silenced { .. }), "{place:?}");
    }
}

#[tokio::test]
async fn an_idle_daemon_follows_what_another_one_does() {
    let two = Two::start().await;
    two.one.due.turn().await.unwrap();
    two.other.intake.take(vec![signal(1)]).await.unwrap();
    assert_eq!(two.one.view.in_memory_count(), 0);
    two.one.due.turn().await.unwrap();
    assert_eq!(two.one.view.in_memory_count(), 1);
}

#[tokio::test]
async fn policies_are_asked_about_counts_that_are_at_most_a_second_old() {
    let two = Two::start().await;
    let opened_on = two.position();
    two.one.intake.take(vec![signal(1)]).await.unwrap();
    let followed = two.position();
    two.other
        .intake
        .take((2..=5).map(signal).collect())
        .await
        .unwrap();
    let assessor = &two.one.health.assessor;
    let graded = |now| {
        let assessed = assessor.assess(&Arc::new(signal(6)), true, now).unwrap();
        let grading = assessed.unwrap().opening.unwrap().grading;
        (grading.reason, grading.source.read_at)
    };
    let second = NOW.plus_ms(1_000);
    assert_eq!(graded(second), ("2 fire".to_owned(), followed));
    let later = second.plus_ms(1);
    assert_eq!(graded(later), ("6 fire".to_owned(), two.position()));
    // What was decided says what it was decided on.
    let state = two.one.view.in_memory().remove(0);
    let events = events_of(two.store.as_ref(), &state.incident.id).unwrap();
    let Event::Opened(opened) = &events[0].event else {
        panic!("{events:?}");
    };
    for source in [&opened.grade_source, &opened.plan_source] {
        assert_eq!(source.as_ref().unwrap().read_at, opened_on);
    }
}
