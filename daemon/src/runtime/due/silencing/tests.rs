//! Rounds over the alerts, and two daemons that follow the same silences.

use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use tocsin_core::{Incident, Labels, Signal, SignalStatus};

use super::*;
use crate::app::App;
use crate::rig::{NOW, Rig};

fn signal() -> Signal {
    Signal {
        integration: "prometheus".into(),
        fingerprint: "f".into(),
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

async fn silence(app: &App, minutes: u64) -> String {
    let until = crate::time::format_time(NOW.plus_ms(minutes * 60_000));
    let posted = serde_json::from_value(json!({
        "matchers": [{ "name": "service", "value": "shop", "isRegex": false }],
        "startsAt": "2026-01-31T12:00:00Z",
        "endsAt": until,
        "createdBy": "ada",
        "comment": "upgrade",
    }));
    let id = format!("for-{minutes}");
    let set = app.silences.set(posted.unwrap(), &id, NOW, &app.writer);
    set.await.unwrap()
}

fn incident(rig: &Rig) -> Arc<Incident> {
    let state = rig.app.view.incident_of_number(1).unwrap();
    Arc::clone(&state.unwrap().incident)
}

fn hidden(rig: &Rig, id: &str) -> (u64, u64) {
    let hid = hidden::by(rig.store.as_ref(), id).unwrap();
    (hid.alerts, hid.pauses)
}

#[tokio::test]
async fn two_daemons_count_each_alert_once_for_each_silence() {
    let one = Rig::new("", Path::new("/nowhere")).await;
    let other = one.another().await;
    one.app.intake.take(vec![signal()]).await.unwrap();
    let (long, short) = (silence(&one.app, 60).await, silence(&other.app, 5).await);
    for rig in [&one, &other, &one] {
        rig.app.due.turn().await.unwrap();
    }
    assert!(incident(&one).escalation.silenced);
    assert_eq!(hidden(&one, &short), (1, 1));
    assert_eq!(hidden(&one, &long), (1, 1));
    // One silence is enough.
    one.clock.set(NOW.plus_ms(6 * 60_000));
    other.app.due.turn().await.unwrap();
    assert!(incident(&other).escalation.silenced);
    let version = incident(&other).version;
    other.clock.set(NOW.plus_ms(61 * 60_000));
    for rig in [&one, &other] {
        rig.app.due.turn().await.unwrap();
    }
    assert!(!incident(&one).escalation.silenced);
    assert!(incident(&one).version > version);
    assert_eq!(hidden(&one, &long), (1, 1));
    let row = hidden::HIDDEN.get(one.store.as_ref(), &long).unwrap();
    assert!(row.unwrap().value.is_reported);
}

#[tokio::test]
async fn what_was_matched_against_silences_that_have_changed_is_refused() {
    let one = Rig::new("", Path::new("/nowhere")).await;
    let other = one.another().await;
    one.app.intake.take(vec![signal()]).await.unwrap();
    silence(&one.app, 60).await;
    let (store, silences) = (one.store.as_ref(), &one.app.silences);
    let page = silencing_page(store, silences, "", 10, NOW).unwrap();
    other
        .app
        .silences
        .expire("for-60", NOW, &other.app.writer)
        .await
        .unwrap();
    let request = page.requests.into_iter().next().unwrap();
    let refused = one.app.writer.ask(request).await.unwrap_err();
    assert!(is_overtaken(&refused), "{refused}");
    assert!(!incident(&one).escalation.silenced);
}

#[tokio::test]
async fn an_alert_that_was_assessed_before_a_silence_began_is_assessed_again() {
    let rig = Rig::new("", Path::new("/nowhere")).await;
    let posted = serde_json::from_value(json!({
        "matchers": [{ "name": "service", "value": "shop", "isRegex": false }],
        "startsAt": "2026-01-31T12:15:00Z", "endsAt": "2026-01-31T14:00:00Z",
        "createdBy": "ada", "comment": "upgrade",
    }));
    let (app, posted) = (&rig.app, posted.unwrap());
    app.silences
        .set(posted, "later", NOW, &app.writer)
        .await
        .unwrap();
    let signal = Arc::new(signal());
    let assessment = app.health.assessor.assess(&signal, false, NOW).unwrap();
    let request = Request::Signal {
        signal,
        assessment: assessment.map(Box::new),
        unless_observed_since: None,
    };
    rig.clock.set(NOW.plus_ms(5 * 60_000));
    let refused = app.writer.ask(request).await.unwrap_err();
    assert!(is_overtaken(&refused), "{refused}");
}

proptest! {
    /// Keys are the digits; a page has two of them.
    #[test]
    fn a_round_ends_and_looks_at_every_alert_after_the_last_change(
        changes in proptest::collection::vec(0_usize..7, 0..6)
    ) {
        let keys: Vec<String> = (0..9).map(|it| it.to_string()).collect();
        let mut round = Round::default();
        let mut looked_at: Vec<String> = Vec::new();
        let take_pages = |round: &mut Round, looked_at: &mut Vec<String>, pages: usize| {
            for _ in 0..pages {
                if round.is_over() {
                    break;
                }
                let later = keys.iter().filter(|key| **key > round.after);
                let page: Vec<_> = later.take(2).cloned().collect();
                let last = page.last().cloned().filter(|_| page.len() == 2);
                looked_at.extend(page);
                round.note(last);
            }
        };
        for (count, pages) in changes.into_iter().enumerate() {
            round.begin(vec![count.to_string()]);
            looked_at.clear();
            take_pages(&mut round, &mut looked_at, pages);
        }
        round.begin(Vec::new());
        looked_at.clear();
        take_pages(&mut round, &mut looked_at, 12);
        prop_assert!(round.is_over());
        for key in &keys {
            prop_assert!(looked_at.contains(key), "{key} of {looked_at:?}");
        }
        round.begin(Vec::new());
        prop_assert!(round.is_over());
    }
}
