use std::path::Path;
use std::sync::Arc;

use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_plugin_host::capability::commands::{CommandCaller, CommandService as _};
use tocsin_plugin_host::wit::{self, CommandError};

use crate::mail::Relays;
use crate::plugins::{DaemonServices, PluginAccess};
use crate::rig::Rig;
use crate::runtime::{Clock as _, EngineHandle, newest_changes};

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

fn caller(key: &str) -> CommandCaller {
    CommandCaller {
        plugin: "chat".to_owned(),
        key: key.to_owned(),
    }
}

fn itself() -> wit::Actor {
    wit::Actor {
        kind: "plugin".to_owned(),
        id: "chat".to_owned(),
        display_name: None,
    }
}

/// Has a plugin open an incident in its own name.
async fn opened(rig: &Rig, key: &str, draft: wit::Draft) -> Result<wit::Incident, CommandError> {
    let services = services(rig);
    services.open_incident(caller(key), draft, itself()).await
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
        assert_invalid(&refused, says);
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

#[tokio::test]
async fn a_plugin_acknowledges_a_page_as_a_whole_or_its_only_item() {
    let rig = Rig::new("", Path::new("/nowhere")).await;
    for (number, with_item) in [(1, false), (2, true)] {
        let key = number.to_string();
        let incident = opened(&rig, &key, draft("shop", Some(&key))).await.unwrap();
        let page = format!("{}-p1", incident.id);
        let others = [
            ("i-unknown-p1", None),
            ("nonsense", None),
            (page.as_str(), Some("another")),
        ];
        for (page, item) in others {
            let item = item.map(str::to_owned);
            let services = services(&rig);
            let refused = services.acknowledge_page(caller("x"), page.to_owned(), item, itself());
            assert_eq!(refused.await, Err(CommandError::NotFound), "{page}");
        }
        let item = with_item.then(|| page.clone());
        let services = services(&rig);
        let done = services.acknowledge_page(caller(&format!("ack-{key}")), page, item, itself());
        let said = done.await.unwrap();
        assert!(said.contains(&format!("incident {number}")), "{said}");
        let state = rig.app.view.incident_of_number(number).unwrap().unwrap();
        let acknowledged = state.incident.lifecycle.acknowledged_at;
        assert!(acknowledged.is_some(), "{said}");
    }
}

#[tokio::test]
async fn anybody_may_ask_which_incidents_are_open() {
    let rig = Rig::new("", Path::new("/nowhere")).await;
    let somebody = || wit::Actor {
        kind: "slack".to_owned(),
        id: "U0SOMEBODY".to_owned(),
        display_name: None,
    };
    let ask = async |key: &str, line: &str| {
        let services = services(&rig);
        let asked = services.run_line(caller(key), None, line.to_owned(), somebody());
        asked.await
    };
    let none = ask("1", "status").await.unwrap();
    assert_eq!(none, "There is no open incident.");
    opened(&rig, "2", draft("shop", None)).await.unwrap();
    let one = ask("3", "status").await.unwrap();
    assert!(one.contains("#1 shop · ") && !one.contains("slow"), "{one}");
    let refused = ask("4", "ack").await.unwrap_err();
    assert!(matches!(refused, CommandError::Invalid(_)), "{refused:?}");
    // In a war room too: titles, operators and reasons are for those in the configuration.
    let services = services(&rig);
    let ask = async |key: &str, line: &str| {
        let room = Some("1".to_owned());
        let asked = services.run_line(caller(key), room, line.to_owned(), somebody());
        asked.await
    };
    assert_eq!(ask("5", "status").await.unwrap(), one);
    let refused = ask("6", "why").await.unwrap_err();
    assert!(!format!("{refused:?}").contains("slow"), "{refused:?}");
}

#[tokio::test]
async fn an_incident_is_joined_by_its_number_outside_of_its_war_room() {
    let rig = Rig::new("", Path::new("/nowhere")).await;
    opened(&rig, "1", draft("shop", None)).await.unwrap();
    let join = async |key: &str, line: &str| {
        let services = services(&rig);
        let asked = services.run_line(caller(key), None, line.to_owned(), itself());
        asked.await.unwrap_err()
    };
    // It found the incident, which a plugin itself cannot join.
    for (key, line) in [("2", "join 1"), ("3", " join #1 ")] {
        let refused = join(key, line).await;
        let why = "only a person joins";
        assert_invalid(&refused, why);
    }
    assert_eq!(join("4", "join 2").await, CommandError::NotFound);
    for (key, line) in [("5", "join"), ("6", "join in")] {
        let refused = join(key, line).await;
        let why = "there is no incident here";
        assert_invalid(&refused, why);
    }
}

#[tokio::test]
async fn who_is_on_call_is_shown_and_changed_outside_of_war_rooms() {
    let config = "[people.ada]\nname = \"Ada\"\n[people.bob]\nname = \"Bob\"\n\
                  [rotations.primary]\ntimezone = \"UTC\"\nlayers = [{ people = [\"bob\"], \
                  handover = \"monday 09:00\", start = \"2026-01-05\" }]\n";
    let rig = Rig::new(config, Path::new("/nowhere")).await;
    let run = async |key: &str, line: &str| {
        let services = services(&rig);
        let asked = services.run_line(caller(key), None, line.to_owned(), itself());
        asked.await
    };
    assert_eq!(
        run("1", "oncall").await.unwrap().split(" (").next(),
        Some("primary: bob")
    );
    let before = run("1", "oncall who at 2026-01-05T08:59").await.unwrap();
    assert!(
        before.starts_with("primary: nobody until Mon 2026-01-05 09:00 UTC"),
        "{before}"
    );
    let line = "oncall override primary @ada 4h";
    let done = run("2", line).await.unwrap();
    assert!(
        done.starts_with("ada is on call for primary from Sat 2026-01-31 12:10 UTC"),
        "{done}"
    );
    assert_eq!(
        run("2", line).await.unwrap(),
        done,
        "a webhook that is repeated"
    );
    let list = run("3", "oncall list").await.unwrap();
    assert_eq!(list.lines().count(), 1, "{list}");
    assert!(
        list.contains("from Sat 2026-01-31 12:10 UTC until"),
        "{list}"
    );
    let shown = run("4", "oncall show primary").await.unwrap();
    assert!(
        shown.contains("from Sat 2026-01-31 16:10 UTC: bob"),
        "{shown}"
    );
    let id = list.split(':').next().unwrap();
    let canceled = run("5", &format!("oncall cancel {id}")).await.unwrap();
    assert!(canceled.ends_with("bob is on call now"), "{canceled}");
    for (line, says) in [
        ("oncall show night", "there is no rotation `night`"),
        ("oncall who at 2030-01-01T00:00", "at most 53 weeks ahead"),
        ("oncall load night", "there is no team `night`"),
        ("oncall cancel x", "there is no override `x`"),
        ("oncall take primary 4h", "only a person can take a shift"),
        ("oncall fetch", "type `oncall help` for all"),
    ] {
        let refused = run("6", line).await.unwrap_err();
        assert_invalid(&refused, says);
    }
    assert!(run("7", "help").await.unwrap().contains("oncall help"));
    assert!(
        run("8", "ack").await.is_err(),
        "an incident's commands need one"
    );
}

const DEPLOYED: &str = r#"{"id": "deployment/7", "payload": {"summary": "Deploy shop v2",
    "timestamp": "2026-01-31T12:00:00Z", "custom_details": {"service": "shop"}}}"#;

#[tokio::test]
async fn a_change_that_a_plugin_reports_again_is_the_same_one() {
    let rig = Rig::new("", Path::new("/nowhere")).await;
    let services = services(&rig);
    let succeeded = DEPLOYED.replace("\"service\"", "\"outcome\": \"success\", \"service\"");
    for (key, change) in [("1", DEPLOYED), ("2", &succeeded)] {
        let recorded = services.record_change(caller(key), change.to_owned());
        recorded.await.unwrap();
    }
    let now = rig.clock.now();
    let known = newest_changes(rig.app.store.as_ref(), now).unwrap();
    let titles: Vec<_> = known.iter().map(|it| it.title.as_str()).collect();
    assert_eq!(titles, ["Deploy shop v2"]);
}

#[tokio::test]
async fn a_plugins_alert_opens_an_incident_once_however_often_its_call_is_tried() {
    let rig = Rig::new("", Path::new("/nowhere")).await;
    let services = services(&rig);
    let alert = r#"{"title": "disk full", "labels": {"service": "shop"}}"#;
    for _ in 0..2 {
        let sent = services.send_signal(caller("1"), alert.to_owned());
        sent.await.unwrap();
    }
    let open = services.list_incidents(caller("2"), "{}".to_owned(), None);
    assert_eq!(open.await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_change_or_an_alert_that_cannot_be_read_is_refused_with_what_is_wrong() {
    let rig = Rig::new("", Path::new("/nowhere")).await;
    let services = services(&rig);
    let long = DEPLOYED.replace("deployment/7", &"x".repeat(NAME_BYTES_MAX + 1));
    for (change, says) in [
        ("{}", "'payload' is missing or blank"),
        ("7", "the event must be a JSON object"),
        (
            r#"{"payload": {"summary": "Deploy"}}"#,
            "'payload.timestamp' is missing or blank",
        ),
        (long.as_str(), "'id' is longer than"),
    ] {
        let refused = services.record_change(caller("1"), change.to_owned());
        assert_invalid(&refused.await.unwrap_err(), says);
    }
    for (signal, says) in [("{", "not valid JSON"), ("[1]", "/0: an alert must be")] {
        let refused = services.send_signal(caller("1"), signal.to_owned());
        assert_invalid(&refused.await.unwrap_err(), says);
    }
}

fn assert_invalid(error: &CommandError, says: &str) {
    let told = matches!(error, CommandError::Invalid(why) if why.contains(says));
    assert!(told, "{error:?} does not say {says}");
}
