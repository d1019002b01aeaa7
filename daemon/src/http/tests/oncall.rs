//! Who is on call, and who changes that.

use serde_json::{Value, json};

use super::rig::{Rig, test_app};
use crate::auth::Scope;
use crate::people::CurrentRoster as _;

const ACTIONS: &str = "/api/v1/oncall/actions";

async fn now(rig: &Rig, token: &str) -> Value {
    let oncall = rig.get("/api/v1/oncall", token).await.is(200).json();
    oncall["rotations"][0].clone()
}

#[tokio::test]
async fn a_person_takes_a_shift_and_gives_it_back() {
    let rig = test_app().await;
    let (reader, ada) = (
        rig.token(Scope::Read).await,
        rig.person(Scope::Respond, "ada").await,
    );
    let take = json!({ "action": "take", "rotation": "primary", "for": "4h" });
    rig.post(ACTIONS, &reader, &take).await.is(403);
    let done = rig.post(ACTIONS, &ada, &take).await.is(200).json();
    let id = done["overrides"][0]["id"].as_str().unwrap().to_owned();
    let reply = done["reply"].as_str().unwrap();
    for part in [
        "ada is on call for primary from Sat 2026-01-31 13:10 CET until Sat 2026-01-31 17:10 CET",
        "nothing serves any of their contacts",
        &id,
    ] {
        assert!(reply.contains(part), "{part}: {reply}");
    }
    let line = now(&rig, &reader).await;
    assert_eq!(
        (&line["now"][0]["person"], &line["override"]),
        (&json!("ada"), &json!(id))
    );
    assert_eq!(line["next_handover"], "2026-01-31T16:10:00.000Z");
    let list = rig
        .get("/api/v1/oncall/overrides", &reader)
        .await
        .is(200)
        .json();
    assert_eq!(list["overrides"][0]["by"], "ada");
    assert_eq!(list["overrides"][0]["active"], true);
    let cancel = json!({ "action": "cancel", "id": id });
    let done = rig.post(ACTIONS, &ada, &cancel).await.is(200).json();
    assert!(
        done["reply"]
            .as_str()
            .unwrap()
            .contains("bob is on call now"),
        "{done}"
    );
    assert_eq!(now(&rig, &reader).await["now"][0]["person"], "bob");
    rig.post(ACTIONS, &ada, &json!({ "action": "cancel", "id": "none" }))
        .await
        .is(404);
}

#[tokio::test]
async fn whoever_cancels_an_override_is_told_what_and_who_has_its_time_now() {
    let rig = test_app().await;
    let ada = rig.person(Scope::Respond, "ada").await;
    for (from, until, says) in [
        (
            "2026-02-02T10:00",
            "2026-02-03T10:00",
            "by which bob was on call for primary from Mon 2026-02-02 10:00 CET until \
             Tue 2026-02-03 10:00 CET; that time is now of ada",
        ),
        (
            "2026-02-08T09:00",
            "2026-02-10T09:00",
            "Tue 2026-02-10 09:00 CET; that time is now of ada, bob",
        ),
        (
            "2026-01-31T09:00",
            "2026-02-10T09:00",
            "Tue 2026-02-10 09:00 CET; bob is on call now",
        ),
    ] {
        let over = json!({
            "action": "override", "rotation": "primary", "person": "bob",
            "from": from, "until": until,
        });
        let made = rig.post(ACTIONS, &ada, &over).await.is(200).json();
        let list = rig.get("/api/v1/oncall/overrides", &ada).await.json();
        assert_eq!(list["overrides"][0]["timezone"], "Europe/Berlin", "{list}");
        let cancel = json!({ "action": "cancel", "id": made["overrides"][0]["id"] });
        let reply = rig.post(ACTIONS, &ada, &cancel).await.is(200).json()["reply"].to_string();
        assert!(reply.contains(says), "{reply}");
    }
}

#[tokio::test]
async fn two_shifts_are_swapped_together_or_not_at_all() {
    let rig = test_app().await;
    let ada = rig.person(Scope::Respond, "ada").await;
    let swap = json!({
        "action": "swap", "rotation": "primary", "shift": "2026-02-02", "with": "2026-02-09",
    });
    let done = rig.post(ACTIONS, &ada, &swap).await.is(200).json();
    assert_eq!(done["overrides"].as_array().unwrap().len(), 2, "{done}");
    let path = "/api/v1/oncall/schedule?rotation=primary&weeks=3";
    let schedule = rig.get(path, &ada).await.is(200).json();
    let spans = schedule["rotations"][0]["spans"]
        .as_array()
        .unwrap()
        .clone();
    let who: Vec<_> = spans
        .iter()
        .map(|it| it["on_call"].as_str().unwrap())
        .collect();
    // Bob's current shift goes on into the one that he has taken from ada.
    assert_eq!(who, ["bob", "bob", "ada", "ada"], "{schedule}");
    let far = json!({
        "action": "swap", "rotation": "primary", "shift": "2026-02-02", "with": "2028-02-09",
    });
    rig.post(ACTIONS, &ada, &far).await.is(422);
    let list = rig
        .get("/api/v1/oncall/overrides", &ada)
        .await
        .is(200)
        .json();
    assert_eq!(list["overrides"].as_array().unwrap().len(), 2, "{list}");
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_with_the_remedy() {
    let rig = test_app().await;
    let ada = rig.person(Scope::Respond, "ada").await;
    for (person, until, says) in [
        ("eve", "2026-02-02T10:00", "use one of ada, bob"),
        ("bob", "2026-01-02T10:00", "it ends before it begins"),
        ("bob", "2027-03-02T10:00", "more than 366 days ahead"),
    ] {
        let over = json!({
            "action": "override", "rotation": "primary", "person": person, "until": until,
        });
        let answer = rig.post(ACTIONS, &ada, &over).await.is(422);
        assert!(answer.text.contains(says), "{}", answer.text);
    }
    for path in [
        "/api/v1/oncall/schedule?rotation=night",
        "/api/v1/oncall/schedule?person=eve",
        "/api/v1/oncall/schedule?weeks=54",
        "/api/v1/oncall/calendar.ics?rotation=night",
    ] {
        rig.get(path, &ada).await.is(422);
    }
}

#[tokio::test]
async fn whoever_names_a_person_who_does_not_exist_is_told_who_does() {
    let rig = test_app().await;
    let ada = rig.person(Scope::Admin, "ada").await;
    let open = json!({ "title": "the shop is slow" });
    rig.post("/api/v1/incidents", &ada, &open).await.is(201);
    let incident = "/api/v1/incidents/1/actions";
    let over = json!({
        "action": "override", "rotation": "primary", "person": "eve", "for": "1h",
    });
    let token = json!({ "name": "mine", "scope": "read", "person": "eve" });
    let mut answers = vec![rig.get("/api/v1/oncall/schedule?person=eve", &ada).await];
    for (path, body) in [
        (ACTIONS, over),
        (incident, json!({ "action": "page", "person": "eve" })),
        (incident, json!({ "action": "reassign", "person": "eve" })),
        ("/api/v1/page-tests", json!({ "person": "eve" })),
        ("/api/v1/tokens", token),
    ] {
        answers.push(rig.post(path, &ada, &body).await);
    }
    let says = "there is no person `eve`; use one of ada, bob";
    for answer in answers {
        assert!(answer.text.contains(says), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_repeated_request_makes_no_second_override() {
    let rig = test_app().await;
    let ada = rig.person(Scope::Respond, "ada").await;
    let body = json!({ "action": "take", "rotation": "primary", "for": "4h" }).to_string();
    let mut ids = Vec::new();
    for repeated in [false, true] {
        let mut request = super::rig::request("POST", ACTIONS, &ada, body.clone().into_bytes());
        request
            .headers_mut()
            .insert("idempotency-key", "k".parse().unwrap());
        let done = rig.ask(request).await.is(200).json();
        assert_eq!(done["repeated"], repeated, "{done}");
        ids.push(done["overrides"][0]["id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(rig.app.on_call.overrides().unwrap().len(), 1);
}

#[tokio::test]
async fn a_calendar_program_subscribes_with_a_token_in_the_address() {
    let rig = test_app().await;
    let reader = rig.token(Scope::Read).await;
    let path = format!("/api/v1/oncall/calendar.ics?person=ada&weeks=8&key={reader}");
    let answer = rig.get(&path, "").await.is(200);
    assert_eq!(
        answer.header("content-type"),
        "text/calendar; charset=utf-8"
    );
    assert_eq!(
        answer.text.matches("BEGIN:VEVENT").count(),
        4,
        "{}",
        answer.text
    );
    assert!(!answer.text.contains("Bob"), "{}", answer.text);
    rig.get("/api/v1/oncall/calendar.ics", "").await.is(401);
    let both = rig
        .get("/api/v1/oncall/calendar.ics?rotation=primary", &reader)
        .await
        .is(200);
    // The current shift began last Monday.
    assert!(
        both.text.contains("DTSTART:20260126T080000Z"),
        "{}",
        both.text
    );
}

#[tokio::test]
async fn two_daemons_on_one_store_agree_on_who_is_on_call() {
    let rig = test_app().await;
    let other = rig.another().await;
    let (ada, bob) = (rig.person(Scope::Respond, "ada").await, "bob");
    other.app.tokens.follow().unwrap();
    let take = json!({ "action": "take", "rotation": "primary", "for": "4h" });
    rig.post(ACTIONS, &ada, &take).await.is(200);
    let at = rig.app.clock.now();
    let who = |rig: &Rig| rig.app.on_call.now().rotations["primary"].on_call(at);
    assert_eq!(
        (who(&rig), who(&other)),
        (vec!["ada".into()], vec!["ada".into()])
    );
    let back = json!({
        "action": "override", "rotation": "primary", "person": bob, "for": "1h",
    });
    rig.clock.set(at.plus_ms(1));
    let longer = json!({ "action": "take", "rotation": "primary", "for": "8h" });
    // Both at once: neither is lost.
    let (first, second) = tokio::join!(
        other.post(ACTIONS, &ada, &back),
        rig.post(ACTIONS, &ada, &longer),
    );
    drop((first.is(200), second.is(200)));
    assert_eq!(rig.app.on_call.overrides().unwrap().len(), 3);
    assert_eq!(other.app.on_call.overrides().unwrap().len(), 3);
    assert_eq!(who(&rig), who(&other));
    let again = rig.another().await;
    assert_eq!(
        again.app.on_call.overrides().unwrap().len(),
        3,
        "a restart keeps them"
    );
}

#[tokio::test]
async fn who_is_on_call_at_another_time_is_by_the_clock_of_the_rotation() {
    let rig = test_app().await;
    let ada = rig.person(Scope::Respond, "ada").await;
    let over = json!({
        "action": "override", "rotation": "primary", "person": "ada",
        "from": "2026-02-12T18:00", "until": "2026-02-13T09:00",
    });
    rig.post(ACTIONS, &ada, &over).await.is(200);
    let at = async |at: &str| {
        let path = format!("/api/v1/oncall?at={at}");
        let line = rig.get(&path, &ada).await.is(200).json()["rotations"][0].clone();
        let who = line["now"][0]["person"].as_str().unwrap_or("nobody");
        (who.to_owned(), line["next_handover"].clone())
    };
    let monday = "2026-02-09T08:00:00.000Z";
    let of = |who: &str, until: &str| (who.to_owned(), json!(until));
    assert_eq!(at("2026-02-09T08:59").await, of("ada", monday));
    assert_eq!(at("2026-02-09T09:00").await.0, "bob");
    assert_eq!(at("2026-02-09T08:59:00Z").await.0, "bob", "an instant");
    let end = "2026-02-13T08:00:00.000Z";
    assert_eq!(at("2026-02-12T20:00").await, of("ada", end), "an override");
    assert_eq!(at("2026-01-26T08:59").await.0, "ada", "the past");
    assert_eq!(at("2026-01-05T08:59").await.0, "nobody", "before it began");
    for (at, status, says) in [
        (
            "2027-02-07T00:00",
            422,
            "at most 53 weeks ahead and 400 days back",
        ),
        (
            "2024-12-24T00:00",
            422,
            "at most 53 weeks ahead and 400 days back",
        ),
        ("soon", 400, "`soon` is not a date and time"),
    ] {
        let answer = rig.get(&format!("/api/v1/oncall?at={at}"), &ada).await;
        assert!(answer.text.contains(says), "{}", answer.text);
        answer.is(status);
    }
}
