//! Tests of what receivers see of a security incident.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tocsin_core::event::{LogKind, Ref, Written};
use tocsin_core::incident::Incident;
use tocsin_core::{
    Actor, Contact, Event, Grade, Ladders, Person, PersonId, PluginId, Recorded, Timestamp,
};
use tocsin_plugin_host::wit as wire;

use super::wit::{core_grade, core_log_kind, wire_grade, wire_log_kind};
use super::*;

/// In every text of the incident.
const SECRET: &str = "canary-4711";

fn at(ms: i64, by: Actor, event: Event) -> Recorded {
    Recorded {
        at: Timestamp(ms),
        by,
        event,
    }
}

fn event(value: Value) -> Event {
    serde_json::from_value(value).unwrap()
}

fn linked(plugin: &str) -> Event {
    Event::Linked(Ref {
        plugin: plugin.into(),
        kind: "channel".to_owned(),
        id: format!("{plugin}-{SECRET}"),
        url: None,
    })
}

/// The events of an incident with secret text everywhere, the refs of two plugins and a page to
/// bob.
fn events() -> Vec<Recorded> {
    let opened = event(json!({ "type": "opened", "data": {
        "number": 7, "key": "k", "title": SECRET, "summary": SECRET, "service": SECRET,
        "team": SECRET, "grade": "major", "grade_reason": SECRET, "plan": { "steps": [] },
        "plan_reason": SECRET, "labels": { "host": SECRET }, "link": SECRET,
    }}));
    let paged = Event::Paged {
        page: 1,
        person: "bob".into(),
        contacts: vec![Contact {
            kind: "slack".to_owned(),
            address: "U0BOB".to_owned(),
        }],
        rungs: Vec::new(),
        step: 0,
        next_contact_at: None,
        by_name: false,
    };
    vec![
        at(1, Actor::Tocsin, opened),
        at(2, Actor::Plugin("slack".into()), linked("slack")),
        at(3, Actor::Plugin("jira".into()), linked("jira")),
        at(4, Actor::Tocsin, paged),
    ]
}

fn graded(security: bool) -> Event {
    Event::Graded {
        grade: Grade::Critical,
        security,
        unsure: false,
        reason: SECRET.to_owned(),
        source: None,
    }
}

fn incident(events: &[Recorded]) -> Incident {
    Incident::replay(&"i1".into(), events).unwrap()
}

fn security_incident() -> Incident {
    let flagged = at(5, Actor::Person("ada".into()), graded(true));
    incident(&events()).fold(&flagged)
}

fn people() -> BTreeMap<PersonId, Person> {
    let person = |id: &str, clearance| Person {
        id: id.into(),
        name: id.to_owned(),
        contacts: Vec::new(),
        ladders: Ladders::default(),
        teams: Vec::new(),
        clearance,
    };
    let all = [person("ada", true), person("bob", false)];
    all.into_iter().map(|it| (it.id.clone(), it)).collect()
}

fn receiver<'a>(
    people: &'a BTreeMap<PersonId, Person>,
    plugin: &'a PluginId,
    clearance: Clearance,
) -> PluginReceiver<'a> {
    PluginReceiver {
        plugin,
        clearance,
        people,
        base_url: "http://tocsin",
    }
}

fn shows(seen: &impl std::fmt::Debug) -> bool {
    format!("{seen:?}").contains(SECRET)
}

#[test]
fn a_security_incident_shows_no_text_without_clearance() {
    let secret = security_incident();
    let seen = Disclosed::of(&secret, Clearance::Basic);
    assert!(seen.is_redacted && !shows(&seen), "{seen:?}");
    assert_eq!(seen.line.title, redacted_title(seen.line.number));
    assert_eq!((seen.line.number, seen.line.grade), (7, Grade::Critical));
    assert_eq!(seen.page_reason(), "you are on call");
    assert_eq!(timeline(&secret, &events(), Clearance::Basic), []);

    let seen = Disclosed::of(&secret, Clearance::Security);
    assert!(!seen.is_redacted && seen.line.title == SECRET && seen.refs.len() == 2);
    assert_eq!(seen.page_reason(), SECRET);
    assert_eq!(timeline(&secret, &events(), Clearance::Security).len(), 4);
}

#[test]
fn an_incident_without_the_flag_is_not_redacted() {
    let open = incident(&events());
    let seen = Disclosed::of(&open, Clearance::Basic);
    assert_eq!(seen, Disclosed::of(&open, Clearance::Security));
    assert_eq!(Summary::of(&open).disclosed(Clearance::Basic), seen.line);
    assert_eq!(timeline(&open, &events(), Clearance::Basic).len(), 4);
}

#[test]
fn a_list_line_is_redacted_like_the_incident() {
    let secret = security_incident();
    for clearance in [Clearance::Basic, Clearance::Security] {
        let line = Summary::of(&secret).disclosed(clearance);
        assert_eq!(line, Disclosed::of(&secret, clearance).line);
    }
}

#[test]
fn a_line_is_kept_as_earlier_releases_kept_it() {
    let kept = json!({
        "id": "i1", "number": 7, "title": "down", "service": "shop", "team": null,
        "grade": "major", "security": false, "status": "open", "acknowledged": false,
        "operator": null, "opened_at": 5, "resolved_at": null,
    });
    let summary: Summary = serde_json::from_value(kept.clone()).unwrap();
    assert_eq!(serde_json::to_value(&summary).unwrap(), kept);
}

#[test]
fn a_plugin_and_its_person_both_need_clearance() {
    use Clearance::{Basic, Security};
    assert_eq!(Security.and(Security), Security);
    for (first, second) in [(Security, Basic), (Basic, Security), (Basic, Basic)] {
        assert_eq!(first.and(second), Basic);
    }
}

/// A plugin finds its chat room by its own ref, whatever its clearance.
#[test]
fn a_plugin_without_clearance_gets_only_its_own_refs() {
    let (people, slack, secret) = (people(), "slack".into(), security_incident());
    let owners = |clearance| {
        let seen = receiver(&people, &slack, clearance).incident(&secret);
        let refs = seen.refs.into_iter();
        refs.map(|it| it.plugin).collect::<Vec<_>>()
    };
    assert_eq!(owners(Clearance::Basic), ["slack"]);
    assert_eq!(owners(Clearance::Security), ["slack", "jira"]);
    let other = "other".into();
    let seen = receiver(&people, &other, Clearance::Basic).incident(&secret);
    assert!(!shows(&seen), "{seen:?}");
}

#[test]
fn the_current_flag_hides_earlier_changes() {
    let (people, slack, other) = (people(), "slack".into(), "other".into());
    let escalated = Event::Escalated {
        step: 0,
        round: 0,
        next_at: Timestamp(9),
        note: Some(SECRET.to_owned()),
    };
    let happened = vec![at(5, Actor::Tocsin, escalated)];
    let before = incident(&events());
    let change = StateChange {
        after: before.clone().fold(&happened[0]),
        before,
        happened,
    };
    let changed = |plugin: &PluginId, today: &Incident| {
        let to = receiver(&people, plugin, Clearance::Basic);
        match to.changed(today, change.clone()) {
            wire::EventBody::IncidentChanged(it) => it,
            other => panic!("{other:?}"),
        }
    };
    let open = changed(&slack, &change.after);
    assert!(open.after.extra.contains("escalation begins") && shows(&open.before));
    let secret = changed(&other, &security_incident());
    assert!(!shows(&secret), "{secret:?}");
    assert!(secret.after.security && !secret.after.extra.contains("happened"));
    assert_eq!(secret.changed, ["security", "escalation"]);
}

#[test]
fn a_plugin_gets_other_roles_and_ten_open_tasks_and_no_task_of_a_secret_incident() {
    let (people, slack) = (people(), "slack".into());
    let role = json!({ "role": "commander", "person": "ada" });
    let mut happened = vec![event(json!({ "type": "operator-assigned", "data": role }))];
    happened.extend((1..=12).map(|task| {
        let owner = (task == 1).then_some("bob");
        let data = json!({ "task": task, "text": format!("{SECRET} {task}"), "owner": owner });
        event(json!({ "type": "task-added", "data": data }))
    }));
    let fold = |incident: Incident| {
        let all = happened.iter().cloned();
        all.fold(incident, |it, event| it.fold(&at(6, Actor::Tocsin, event)))
    };
    let extra = |incident: &Incident| -> Value {
        let seen = receiver(&people, &slack, Clearance::Basic).incident(incident);
        serde_json::from_str(&seen.extra).unwrap()
    };
    let open = extra(&fold(incident(&events())));
    assert_eq!(
        open["roles"],
        json!({ "commander": { "id": "ada", "name": "ada" } })
    );
    assert_eq!(open["tasks"]["count"], 12);
    let named = open["tasks"]["open"].as_array().unwrap();
    let text = format!("{SECRET} 1");
    let first = json!({ "number": 1, "text": text, "owner": "bob", "owner-id": "bob" });
    assert_eq!((named.len(), &named[0]), (10, &first));
    let secret = extra(&fold(security_incident()));
    assert_eq!(secret["tasks"], json!({ "count": 0, "open": [] }));
    assert!(!shows(&secret), "{secret}");
}

#[test]
fn a_change_names_who_gets_a_task_of_somebody_else_unless_it_is_secret() {
    let (people, slack) = (people(), "slack".into());
    let ada = || Actor::Person("ada".into());
    let added = |task: u32, owner: Option<&str>| {
        let data = json!({ "task": task, "text": SECRET, "owner": owner });
        event(json!({ "type": "task-added", "data": data }))
    };
    let assigned = |owner: &str| {
        event(json!({ "type": "task-assigned", "data": { "task": 1, "owner": owner } }))
    };
    let mentions = |before: Incident, by: Actor, happened: Event| -> Value {
        let happened = at(7, by, happened);
        let after = before.clone().fold(&happened);
        let change = StateChange {
            before,
            after: after.clone(),
            happened: vec![happened],
        };
        let to = receiver(&people, &slack, Clearance::Basic);
        let wire::EventBody::IncidentChanged(change) = to.changed(&after, change) else {
            panic!("a change");
        };
        let extra: Value = serde_json::from_str(&change.after.extra).unwrap();
        extra["mentions"].clone()
    };
    let open = || incident(&events()).fold(&at(6, ada(), added(1, None)));
    assert_eq!(
        mentions(open(), ada(), added(2, Some("bob"))),
        json!(["bob"])
    );
    assert_eq!(mentions(open(), ada(), assigned("bob")), json!(["bob"]));
    assert_eq!(
        mentions(open(), Actor::Tocsin, assigned("ada")),
        json!(["ada"])
    );
    assert_eq!(mentions(open(), ada(), assigned("ada")), Value::Null);
    assert_eq!(mentions(open(), ada(), added(2, None)), Value::Null);
    let secret = security_incident();
    assert_eq!(mentions(secret, ada(), added(1, Some("bob"))), Value::Null);
}

#[test]
fn the_company_sees_open_incidents_without_titles_the_worst_first_and_no_secret_one() {
    let numbered = |number: u64, grade: &str, drill: bool| {
        let data = json!({
            "number": number, "key": "k", "title": SECRET, "summary": SECRET,
            "service": format!("service-{number}"), "grade": grade, "grade_reason": SECRET,
            "plan": { "steps": [] }, "plan_reason": SECRET, "drill": drill,
        });
        incident(&[at(
            0,
            Actor::Tocsin,
            event(json!({ "type": "opened", "data": data })),
        )])
    };
    let ada = || Actor::Person("ada".into());
    let told = event(json!({ "type": "update-posted", "data": {
        "audience": "company", "body": "We roll back.", "next_at": 1_800_000 } }));
    let taken = event(json!({ "type": "acknowledged", "data": { "via": "slack" } }));
    let over = event(json!({ "type": "resolved", "data": {
        "reason": "fixed", "counts": { "total": 0, "firing": 0 } } }));
    let major = numbered(2, "major", false);
    let major = major.fold(&at(1, ada(), taken)).fold(&at(2, ada(), told));
    let all = [
        numbered(1, "minor", false),
        major,
        numbered(3, "critical", false).fold(&at(1, ada(), graded(true))),
        numbered(4, "critical", true),
        numbered(5, "critical", false).fold(&at(1, ada(), over)),
    ];
    let seen = company_view(all.iter(), Timestamp(600_000));
    let lines = [
        "There are 2 open incidents, the worst first:",
        "#2 service-2 · major · open · for 10 min · more is said in 20 min",
        "#1 service-1 · minor · open · for 10 min · people are being called",
    ];
    assert_eq!(seen, lines.join("\n"));
    let many: Vec<_> = (1..=25).map(|it| numbered(it, "minor", false)).collect();
    let seen = company_view(many.iter(), Timestamp(600_000));
    assert!(seen.ends_with("and 5 more"), "{seen}");
}

#[test]
fn a_log_entry_is_hidden_from_a_plugin_without_clearance() {
    let (people, slack) = (people(), "slack".into());
    let line = at(
        6,
        Actor::Person("ada".into()),
        Event::Logged {
            kind: LogKind::Note,
            body: SECRET.to_owned(),
            written: Written::default(),
        },
    );
    let secret = security_incident();
    let entry = |clearance| receiver(&people, &slack, clearance).log_entry(&secret, 6, &line);
    assert!(entry(Clearance::Basic).is_none());
    assert!(shows(&entry(Clearance::Security)));
}

#[test]
fn conversions_to_the_plugin_interface_and_back_agree() {
    for grade in [Grade::Minor, Grade::Major, Grade::Critical] {
        assert_eq!(core_grade(wire_grade(grade)), grade);
    }
    for kind in [
        LogKind::Seen,
        LogKind::Decided,
        LogKind::Done,
        LogKind::Note,
    ] {
        assert_eq!(core_log_kind(wire_log_kind(kind)), kind);
    }
}
