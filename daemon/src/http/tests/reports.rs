//! Reports over many incidents.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tocsin_core::time::{HOUR_MS, MINUTE_MS};
use tocsin_core::{Audience, Event, Recorded, Timestamp};
use tocsin_store::Store as _;

use super::rig::{NOW, Rig, test_app};
use crate::auth::Scope;
use crate::runtime::events_of;

const DAY_MS: u64 = 24 * HOUR_MS;
const INCIDENTS: u64 = 120;
/// When a promise that was due is broken.
const GRACE_MS: u64 = 5 * MINUTE_MS;

/// Numbers that look random and are the same in every run.
struct Drawn(u64);

impl Drawn {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }
}

/// Moves the clock to `until`, and does what is due on the way.
async fn pass(rig: &Rig, now: &mut Timestamp, until: Timestamp) {
    while let Some(due) = rig.store.next_timer().unwrap() {
        if due > until {
            break;
        }
        *now = (*now).max(due);
        rig.clock.set(*now);
        rig.app.due.turn().await.unwrap();
    }
    *now = until;
    rig.clock.set(until);
}

async fn act(rig: &Rig, token: &str, number: u64, action: &Value) {
    let path = format!("/api/v1/incidents/{number}/actions");
    rig.post(&path, token, action).await.is(200);
}

/// One incident with updates that come early, late or not at all.
async fn live_through(rig: &Rig, token: &str, drawn: &mut Drawn, now: &mut Timestamp) {
    let drill = drawn.below(10) == 0;
    let draft = json!({ "title": "Slow", "service": "api", "drill": drill });
    let opened = rig.post("/api/v1/incidents", token, &draft).await.is(201);
    let number = opened.json()["number"].as_u64().unwrap();
    act(rig, token, number, &json!({ "action": "ack" })).await;
    for _ in 0..drawn.below(5) {
        let audience = ["engineering", "company", "public"][drawn.below(3) as usize];
        let next = 10 + drawn.below(50);
        let update = json!({
            "action": "update", "audience": audience, "text": "We are on it.",
            "next": format!("{next}m"),
        });
        act(rig, token, number, &update).await;
        let later = now.plus_ms(drawn.below(80) * MINUTE_MS);
        pass(rig, now, later).await;
    }
    act(rig, token, number, &json!({ "action": "resolve" })).await;
    let later = now.plus_ms(drawn.below(90) * MINUTE_MS);
    pass(rig, now, later).await;
    if drawn.below(2) == 0 {
        act(rig, token, number, &json!({ "action": "close" })).await;
    }
}

/// What became of the promises in a stream, from the times in it alone.
fn count(stream: &[Recorded], now: Timestamp, counts: &mut BTreeMap<Audience, [u64; 3]>) {
    let mut open = BTreeMap::<Audience, Timestamp>::new();
    let mut settle = |audience: Audience, due: Timestamp, at: Timestamp, is_told: bool| {
        let place = match () {
            () if is_told && at <= due => 0,
            () if is_told && at < due.plus_ms(GRACE_MS) => 1,
            () if at >= due.plus_ms(GRACE_MS) => 2,
            () => return,
        };
        counts.entry(audience).or_default()[place] += 1;
    };
    for recorded in stream {
        match &recorded.event {
            Event::UpdatePosted {
                audience, next_at, ..
            } => {
                if let Some(due) = open.remove(audience) {
                    settle(*audience, due, recorded.at, true);
                }
                open.extend(next_at.map(|due| (*audience, due)));
            }
            Event::Closed {} => {
                for (audience, due) in std::mem::take(&mut open) {
                    settle(audience, due, recorded.at, false);
                }
            }
            _ => {}
        }
    }
    for (audience, due) in open {
        settle(audience, due, now, false);
    }
}

#[tokio::test]
async fn a_year_of_promises_is_counted_as_the_events_say() {
    let rig = test_app().await;
    let ada = rig.person(Scope::Respond, "ada").await;
    let (mut drawn, mut now) = (Drawn(7), NOW);
    for incident in 0..INCIDENTS {
        let begins = NOW.plus_ms(incident * 3 * DAY_MS);
        pass(&rig, &mut now, begins).await;
        live_through(&rig, &ada, &mut drawn, &mut now).await;
    }
    let end = now.plus_ms(DAY_MS);
    pass(&rig, &mut now, end).await;

    let mut counts = BTreeMap::new();
    for number in 1..=INCIDENTS {
        let path = format!("/api/v1/incidents/{number}");
        let shown = rig.get(&path, &ada).await.is(200).json();
        if shown["drill"] == false {
            let id = shown["id"].as_str().unwrap().into();
            let stream = events_of(rig.store.as_ref(), &id).unwrap();
            count(&stream, now, &mut counts);
        }
    }
    let report = rig.get("/api/v1/reports/promises?since=366d", &ada).await;
    let report = report.is(200).json();
    let mut found = BTreeMap::new();
    for line in report["audiences"].as_array().unwrap() {
        let audience: Audience = line["audience"].as_str().unwrap().parse().unwrap();
        let of = |name: &str| line[name].as_u64().unwrap();
        found.insert(audience, ["kept", "late", "broken"].map(of));
    }
    assert_eq!(found, counts);
    let total: u64 = counts.values().flatten().sum();
    assert!(total > 100, "{total} promises");
    for place in 0..3 {
        let of_kind: u64 = counts.values().map(|it| it[place]).sum();
        assert!(of_kind > 0, "none of kind {place} in {counts:?}");
    }
}

#[tokio::test]
async fn only_what_opened_lately_counts_and_a_wrong_span_is_named() {
    let rig = test_app().await;
    let ada = rig.person(Scope::Respond, "ada").await;
    let (mut drawn, mut now) = (Drawn(1), NOW);
    for _ in 0..5 {
        live_through(&rig, &ada, &mut drawn, &mut now).await;
    }
    let later = now.plus_ms(10 * DAY_MS);
    pass(&rig, &mut now, later).await;
    let total = |report: &Value| -> u64 {
        let of = |name: &str| report["all"][name].as_u64().unwrap();
        ["kept", "late", "broken"].map(of).iter().sum()
    };
    let long = rig.get("/api/v1/reports/promises?since=30d", &ada).await;
    assert!(total(&long.is(200).json()) > 0);
    let short = rig.get("/api/v1/reports/promises?since=1d", &ada).await;
    assert_eq!(total(&short.is(200).json()), 0);
    let wrong = rig.get("/api/v1/reports/promises?since=soon", &ada).await;
    let wrong = wrong.is(400).text;
    assert!(wrong.contains("since: "), "{wrong}");
}
