//! How much people had to do.

use serde_json::json;
use tocsin_core::time::{HOUR_MS, MINUTE_MS};

use super::rig::{NOW, Rig, test_app};
use crate::auth::Scope;

const LOAD: &str = "/api/v1/oncall/load";

/// Ada operates an incident for an hour.
async fn an_hour(rig: &Rig, ada: &str) {
    let opened = json!({ "title": "the shop is slow" });
    let opened = rig.post("/api/v1/incidents", ada, &opened).await.is(201);
    let number = opened.json()["number"].clone();
    let actions = format!("/api/v1/incidents/{number}/actions");
    rig.post(&actions, ada, &json!({ "action": "ack" }))
        .await
        .is(200);
    rig.clock.set(rig.app.clock.now().plus_ms(HOUR_MS));
    rig.post(
        &actions,
        ada,
        &json!({ "action": "resolve", "reason": "rolled back" }),
    )
    .await
    .is(200);
}

#[tokio::test]
async fn the_load_of_everybody_is_sorted_and_says_how_unequal_it_is() {
    let rig = test_app().await;
    let (ada, bob) = (
        rig.person(Scope::Respond, "ada").await,
        rig.person(Scope::Respond, "bob").await,
    );
    let none = rig.get(LOAD, &ada).await.is(200).json();
    assert_eq!(
        none["concentration"],
        json!({
            "gini": 0.0, "top": null, "top_at_night": null, "says": "Nobody had anything to do.",
        })
    );
    an_hour(&rig, &bob).await;
    an_hour(&rig, &ada).await;
    an_hour(&rig, &bob).await;
    rig.clock.set(rig.app.clock.now().plus_ms(MINUTE_MS));
    let load = rig.get(LOAD, &ada).await.is(200).json();
    assert_eq!(load["from"], "2026-01-03T15:11:00.000Z", "28 days");
    assert_eq!(
        load["people"],
        json!([
            { "person": "bob", "name": "Bob", "load": 120, "incidents": 2, "pages": 0,
              "night_pages": 0, "operator_minutes": 120, "spokesperson_minutes": 0 },
            { "person": "ada", "name": "Ada", "load": 60, "incidents": 1, "pages": 0,
              "night_pages": 0, "operator_minutes": 60, "spokesperson_minutes": 0 },
        ])
    );
    assert_eq!(
        load["concentration"],
        json!({
            "gini": 0.17, "top": { "person": "bob", "share": 0.67 }, "top_at_night": null,
            "says": "Bob had 67 % of the load; Gini 0.17.",
        })
    );
    let lately = format!("{LOAD}?since=90m");
    let lately = rig.get(&lately, &ada).await.is(200).json();
    assert_eq!(lately["people"][0]["load"], 60, "{lately}");
    assert_eq!(lately["people"][1]["load"], 29, "{lately}");
    let other = rig.another().await;
    other.app.tokens.follow().unwrap();
    assert_eq!(
        other.get(LOAD, &ada).await.is(200).json(),
        load,
        "another daemon on the same store"
    );
}

#[tokio::test]
async fn a_team_that_does_not_exist_is_refused_with_those_that_do() {
    let rig = test_app().await;
    let reader = rig.token(Scope::Read).await;
    for (query, status, says) in [
        (
            "team=search",
            422,
            "there is no team `search`; add [teams.search]",
        ),
        ("since=often", 400, "a number with its unit"),
        ("since=500d", 400, "up to 366 days"),
        ("whose=ada", 400, "unknown field"),
    ] {
        let answer = rig.get(&format!("{LOAD}?{query}"), &reader).await;
        assert!(answer.text.contains(says), "{}", answer.text);
        answer.is(status);
    }
    let config = "[teams.shop]\nname = \"Shop\"\n[teams.idle]\nname = \"Idle\"\n\
                  [people.ada]\nname = \"Ada\"\nteams = [\"shop\"]\n[people.bob]\nname = \"Bob\"\n";
    let rig = Rig::new(config, std::path::Path::new("/nowhere")).await;
    assert_eq!(rig.app.clock.now(), NOW);
    let reader = rig.token(Scope::Read).await;
    let of_team = async |team: &str| {
        let answer = rig.get(&format!("{LOAD}?team={team}"), &reader).await;
        answer.is(200).json()["people"].clone()
    };
    assert_eq!(of_team("shop").await[0]["person"], "ada");
    assert_eq!(of_team("shop").await.as_array().unwrap().len(), 1);
    assert_eq!(of_team("idle").await, json!([]));
    let answer = rig.get(&format!("{LOAD}?team=shops"), &reader).await;
    let says = "there is no team `shops`; there are idle, shop";
    assert!(answer.text.contains(says), "{}", answer.text);
}

#[tokio::test]
async fn the_hours_of_a_month_are_those_of_everybodys_clock_with_what_they_had_to_do() {
    let rig = test_app().await;
    let ada = rig.person(Scope::Respond, "ada").await;
    let hours = async |month: &str| {
        let path = format!("/api/v1/oncall/hours?month={month}");
        rig.get(&path, &ada).await
    };
    // The first turn is ada's, from Monday 5 January at nine in Berlin; it is the 31st at 13:10.
    let january = hours("2026-01").await.is(200).json();
    assert_eq!(january["month"], "2026-01");
    let line = &january["people"][0];
    assert_eq!(
        (&line["person"], &line["hours"], &line["night_hours"]),
        (&json!("ada"), &json!(2.0 * 168.0), &json!(14.0 * 8.0))
    );
    assert_eq!(line["weekend_hours"], 4.0 * 24.0);
    assert_eq!(
        january["people"][1]["hours"], 292.17,
        "a week, and 5 days with 4 hours"
    );
    let (begin, end) = ("2026-02-06T09:00", "2026-02-08T09:00");
    let over = json!({
        "action": "override", "rotation": "primary", "person": "bob", "from": begin, "until": end,
    });
    let path = "/api/v1/oncall/actions";
    rig.post(path, &ada, &over).await.is(200);
    an_hour(&rig, &ada).await;
    hours("2026-02").await.is(422);
    let a_year_later = NOW.plus_ms(360 * 24 * HOUR_MS);
    rig.clock.set(a_year_later);
    // The store sweeps what has expired.
    let writer = &rig.app.writer;
    writer.ask(crate::runtime::Request::Expire).await.unwrap();
    let january = hours("2026-01").await.is(200).json();
    let line = &january["people"][0];
    assert_eq!(
        (&line["incidents"], &line["operator_minutes"]),
        (&json!(1), &json!(60))
    );
    let february = hours("2026-02").await.is(200).json();
    // Of her two weeks, from the 2nd and the 16th on, bob has taken two days of the first.
    let of = |person: usize| february["people"][person]["hours"].clone();
    assert_eq!((of(0), of(1)), (json!(336.0 - 48.0), json!(336.0 + 48.0)));
    for (month, status, says) in [
        ("2026-03", 200, "\"hours\":"),
        ("2025-12", 422, "more than 400 days ago"),
        ("2027-02", 422, "has not begun"),
        ("march", 400, "write it as 2026-11"),
    ] {
        let answer = hours(month).await;
        assert!(answer.text.contains(says), "{}", answer.text);
        answer.is(status);
    }
}
