use serde_json::{Value, json};
use tocsin_store::{Store as _, Table};

use super::rig::{NOW, test_app};
use crate::auth::Scope;
use crate::runtime::newest_changes;

fn event(key: &str, action: &str) -> Value {
    json!({
        "routing_key": key,
        "event_action": action,
        "dedup_key": "db-1/disk",
        "payload": { "summary": "disk full", "source": "db-1", "severity": "critical" },
    })
}

#[tokio::test]
async fn a_trigger_opens_an_incident_and_is_answered_as_documented() {
    let rig = test_app().await;
    let key = rig.sender("pd").await;
    let answer = rig
        .post("/v2/enqueue", "", &event(&key, "trigger"))
        .await
        .is(202);
    let wanted = json!({
        "status": "success", "message": "Event processed", "dedup_key": "db-1/disk",
    });
    assert_eq!(answer.json(), wanted);
    assert_eq!(rig.open_incidents(), 1);
    for action in ["trigger", "acknowledge", "resolve"] {
        rig.post("/v2/enqueue", "", &event(&key, action))
            .await
            .is(202);
        assert_eq!(rig.open_incidents(), 1, "{action}");
    }
}

#[tokio::test]
async fn a_key_of_another_kind_of_integration_is_a_bad_event() {
    let rig = test_app().await;
    let (other, admin) = (rig.sender("any").await, rig.token(Scope::Admin).await);
    for key in ["e93facc04764012d7bfb002500d5d1a6", &other, &admin] {
        for path in ["/v2/enqueue", "/v2/change/enqueue"] {
            let answer = rig.post(path, "", &event(key, "trigger")).await.is(400);
            assert_eq!(answer.json()["status"], "invalid event");
            assert!(!answer.text.contains(key), "the key is not echoed");
        }
    }
    assert_eq!(rig.open_incidents(), 0);
}

#[tokio::test]
async fn a_change_is_kept_for_thirty_days_and_opens_nothing() {
    let rig = test_app().await;
    let key = rig.sender("pd").await;
    let links = vec![json!({ "href": format!("https://x.example.com/{}", "a".repeat(2_000)) }); 8];
    let change = json!({
        "routing_key": key,
        "payload": { "summary": "deployed 1.2", "custom_details": { "service": "shop" } },
        "links": links,
    });
    rig.post("/v2/change/enqueue", "", &change).await.is(202);
    let rows = rig.store.rows(Table::Change, "", None, 10).unwrap();
    let [(_, row)] = rows.as_slice() else {
        panic!("one change: {rows:?}");
    };
    assert_eq!(row.value["services"], json!(["shop"]));
    assert_eq!(row.expires_at, Some(NOW.plus_ms(30 * 24 * 3_600_000)));
    assert_eq!(rig.open_incidents(), 0);
}

#[tokio::test]
async fn policies_get_the_newest_changes() {
    let rig = test_app().await;
    let key = rig.sender("pd").await;
    let mut send = vec![("2026-01-20T12:00:00Z".to_owned(), "long ago".to_owned())];
    send.push(("2026-01-31T13:00:00Z".to_owned(), "ahead".to_owned()));
    for minute in 0..22 {
        let at = format!("2026-01-31T11:{minute:02}:00Z");
        send.push((at, format!("deployed {minute}")));
    }
    for (timestamp, summary) in &send {
        let payload = json!({ "summary": summary, "timestamp": timestamp });
        let change = json!({ "routing_key": key, "payload": payload });
        rig.post("/v2/change/enqueue", "", &change).await.is(202);
    }
    let told = newest_changes(rig.store.as_ref(), NOW).unwrap();
    let titles: Vec<_> = told.iter().map(|it| it.title.clone()).collect();
    let wanted: Vec<_> = (2..22).rev().map(|it| format!("deployed {it}")).collect();
    assert_eq!(titles, wanted);
}
