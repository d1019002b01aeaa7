//! Tests that the audit reports each planted fault in an otherwise correct record.

use serde_json::json;
use tocsin::people::MadeOverride;
use tocsin::runtime::Delivery;
use tocsin_core::alert::Tally;
use tocsin_core::consequences::Notice;
use tocsin_core::pager::PageAttempt;
use tocsin_core::{Actor, IncidentId, MessageId, Recorded, Timestamp};
use tocsin_store::{Class, OutboxKey, OutboxRow};

use super::outside::numbers_in;
use super::record::page_effect;
use super::{Act, IncidentRecord, Ledger, Record, audit, left_alone, settled};

const ACKED: &str = "checkout";
const PAGED: &str = "search";

/// Two incidents: one acknowledged, and one whose page is being delivered.
fn sound() -> (Ledger, Record) {
    let mut ledger = Ledger::default();
    let mut record = Record::default();
    for (number, service) in [(1, ACKED), (2, PAGED)] {
        ledger.asks_alert(service, "Down", true);
        ledger.alert_answered(service, "Down", true);
        record
            .alerts
            .insert((service.to_owned(), "Down".to_owned()), true);
        let id = IncidentId(format!("i{number}"));
        let record_of =
            IncidentRecord::from(&id, events(number, service), &Tally::default()).unwrap();
        record.incidents.insert(id, record_of);
    }
    ledger.asks_act(ACKED, Act::Ack);
    ledger.act_answered(ACKED, Act::Ack);
    ledger.asks_line(ACKED, "we roll back");
    ledger.line_answered("we roll back");
    ledger.asks_override("holidays", ("shift-0", "p1"), Timestamp(60_000));
    ledger.override_answered("holidays");
    record.overrides.push(MadeOverride {
        id: "1".to_owned(),
        rotation: "shift-0".to_owned(),
        person: "p1".into(),
        from: Timestamp(0),
        until: Timestamp(60_000),
        by: Actor::Tocsin,
        at: Timestamp(0),
        reason: "holidays".to_owned(),
    });
    let wanted = record.incidents.values().flat_map(|it| it.wants.clone());
    record.timers = wanted.collect();
    let page = PageAttempt {
        incident: IncidentId("i2".to_owned()),
        page: 1,
        contact: 0,
        question: None,
    };
    record.waiting.push(delivery());
    record.messages.insert(message(), vec![page]);
    record.messages_waiting.insert(message());
    (ledger, record)
}

fn events(number: u64, service: &str) -> Vec<Recorded> {
    let steps = json!([{ "page": ["person:ada"], "wait_ms": 1_000 },
        { "page": ["person:bob"], "wait_ms": 1_000 }]);
    let contacts = json!([{ "kind": "slack", "address": "U1" },
        { "kind": "slack", "address": "U2" }]);
    let mut all = vec![
        json!({ "type": "opened", "data": { "number": number, "key": service, "title": "Down",
            "service": service, "grade": "critical", "grade_reason": "it is",
            "plan": { "steps": steps }, "plan_reason": "so" } }),
        json!({ "type": "escalated", "data": { "step": 0, "round": 0, "next_at": 1_000 } }),
        json!({ "type": "paged", "data": { "page": 1, "person": "ada", "contacts": contacts,
            "step": 0, "next_contact_at": 3_000 } }),
    ];
    if service == ACKED {
        all.push(json!({ "type": "acknowledged", "data": { "via": "api" } }));
        let line = json!({ "kind": "note", "body": "we roll back" });
        all.push(json!({ "type": "logged", "data": line }));
    }
    let recorded = all.into_iter().map(|mut event| {
        event["at"] = json!(0);
        event["by"] = json!({ "kind": "tocsin" });
        serde_json::from_value(event).unwrap()
    });
    recorded.collect()
}

fn message() -> MessageId {
    MessageId {
        person: "ada".into(),
        number: 1,
    }
}

fn delivery() -> OutboxRow {
    waiting(&Delivery::Message {
        plugin: Some("slack".into()),
        message: message(),
    })
}

fn waiting(delivery: &Delivery) -> OutboxRow {
    OutboxRow {
        key: OutboxKey {
            class: Class::Page,
            lane: "ada/slack".to_owned(),
            seq: 1,
        },
        coalesce: None,
        not_before: Timestamp(0),
        created_at: Timestamp(0),
        attempts: 1,
        body: serde_json::to_value(delivery).unwrap(),
    }
}

/// Changes the events of one incident and folds it again.
fn change_events(record: &mut Record, id: &str, change: impl Fn(&mut Vec<Recorded>)) {
    let id = IncidentId(id.to_owned());
    let mut events = record.incidents[&id].events.clone();
    change(&mut events);
    let record_of = IncidentRecord::from(&id, events, &Tally::default()).unwrap();
    record.incidents.insert(id, record_of);
}

fn of_page(kind: &str, mut data: serde_json::Value) -> Recorded {
    data["page"] = json!(1);
    let event = json!({ "at": 9, "by": { "kind": "tocsin" }, "type": kind, "data": data });
    serde_json::from_value(event).unwrap()
}

fn escalated(at: i64, step: u32) -> Recorded {
    let data = json!({ "step": step, "round": 0, "next_at": at + 1_000 });
    let event = json!({ "at": at, "by": { "kind": "tocsin" }, "type": "escalated", "data": data });
    serde_json::from_value(event).unwrap()
}

#[test]
fn a_correct_record_has_no_faults() {
    let (ledger, record) = sound();
    assert_eq!(audit(&ledger, &record), Vec::<String>::new());
}

#[test]
fn requests_without_a_response_may_or_may_not_be_in_the_store() {
    let (mut ledger, record) = sound();
    ledger.asks_alert("other", "Down", true);
    ledger.asks_alert(ACKED, "Down", false);
    ledger.asks_act(PAGED, Act::Ack);
    ledger.asks_line(PAGED, "nobody heard this");
    ledger.asks_open("nor of this");
    assert_eq!(audit(&ledger, &record), Vec::<String>::new());
}

type Plant = fn(&mut Ledger, &mut Record);

#[test]
fn each_planted_fault_is_reported() {
    let plants: [(&str, &str, Plant); 14] = [
        (
            "an alert that was accepted",
            "missing: alert Down",
            |_, record| {
                record.alerts.retain(|(service, _), _| service != ACKED);
            },
        ),
        (
            "an alert that ended without a request",
            "missing: alert Down",
            |_, record| {
                record.alerts.values_mut().for_each(|it| *it = false);
            },
        ),
        (
            "an incident",
            "missing: no incident of search",
            |_, record| {
                record.incidents.pop_last();
            },
        ),
        (
            "an acknowledgement",
            "missing: Ack of checkout",
            |_, record| {
                change_events(record, "i1", |events| drop(events.remove(3)));
            },
        ),
        (
            "a line of the log",
            "missing: line `we roll back`",
            |_, record| {
                change_events(record, "i1", |events| drop(events.pop()));
            },
        ),
        (
            "a line that exists twice",
            "repeated: line `we roll back`",
            |_, record| {
                change_events(record, "i1", |events| events.push(events[4].clone()));
            },
        ),
        (
            "an incident opened by hand",
            "missing: incident `by hand`",
            |ledger, _| {
                ledger.asks_open("by hand");
                ledger.open_answered("by hand");
            },
        ),
        (
            "an override",
            "missing: override `holidays`",
            |_, record| record.overrides.clear(),
        ),
        (
            "an override that ends late",
            "missing: override `holidays`",
            |_, record| record.overrides[0].until = Timestamp(60_001),
        ),
        (
            "a delivery",
            "lost delivery: page 1 of incident 2",
            |_, record| {
                record.messages_waiting.clear();
            },
        ),
        ("a timer", "lost timer: i2/escalation", |_, record| {
            record.timers.retain(|it| !it.id.ends_with("escalation"));
        }),
        (
            "a timer that nobody wants",
            "stray timer: i2/escalation",
            |_, record| {
                record
                    .incidents
                    .values_mut()
                    .for_each(|it| it.wants.clear());
            },
        ),
        (
            "a step that was passed over",
            "passed over: incident 2",
            |_, record| {
                change_events(record, "i2", |events| events.push(escalated(1_000, 7)));
            },
        ),
        (
            "a step that came early",
            "early: step 1 of incident 2",
            |_, record| {
                change_events(record, "i2", |events| events.push(escalated(999, 1)));
            },
        ),
    ];
    for (what, says, plant) in plants {
        let (mut ledger, mut record) = sound();
        plant(&mut ledger, &mut record);
        let faults = audit(&ledger, &record);
        assert!(
            faults.iter().any(|it| it.starts_with(says)),
            "{what}: {faults:?}"
        );
    }
}

#[test]
fn a_due_timer_and_a_waiting_delivery_are_reported_after_the_quiet_period() {
    let (_, record) = sound();
    let faults = settled(&record, Timestamp(1_001));
    let has = |says: &str| faults.iter().any(|it| it.starts_with(says));
    assert!(
        has("passed over: timer i2/escalation due 1000"),
        "{faults:?}"
    );
    assert!(has("not delivered"), "{faults:?}");
    assert!(!has("passed over: timer i2/contact"), "{faults:?}");
    assert_eq!(
        settled(&Record::default(), Timestamp(1_001)),
        Vec::<String>::new()
    );
}

#[test]
fn a_log_line_of_unknown_outcome_is_followed_up_or_waits_for_another_attempt() {
    let (_, mut record) = sound();
    let once = "http:log:i1/5".to_owned();
    let unknown = [("slack/log:i1/5".to_owned(), once.clone())].into();
    let faults = left_alone(&unknown, &record, &[]);
    assert!(
        faults[0].starts_with("left alone: http:log:i1/5"),
        "{faults:?}"
    );
    assert_eq!(left_alone(&unknown, &record, &[once]), Vec::<String>::new());
    let of = |version| Delivery::Notice {
        plugin: "slack".into(),
        incident: IncidentId("i1".to_owned()),
        notice: Notice::LogAdded { version },
    };
    record.waiting.push(waiting(&of(4)));
    assert_eq!(left_alone(&unknown, &record, &[]).len(), 1, "another line");
    record.waiting.push(waiting(&of(5)));
    assert_eq!(left_alone(&unknown, &record, &[]), Vec::<String>::new());
}

#[test]
fn a_page_of_unknown_outcome_that_another_contact_took_must_be_in_the_log() {
    let (_, mut record) = sound();
    let once = format!("http:page:{}", message());
    let key = page_effect(&message());
    let unknown = [(key, once.clone())].into();
    assert_eq!(
        left_alone(&unknown, &record, &[]),
        Vec::<String>::new(),
        "it waits for another attempt"
    );
    record.messages_waiting.clear();
    let redirected = json!({ "contact": 1, "reason": "no channel took it in 3 s" });
    change_events(&mut record, "i2", |events| {
        events.push(of_page("page-redirected", redirected.clone()));
        events.push(of_page("page-taken", json!({ "contact": 1 })));
    });
    let faults = left_alone(&unknown, &record, &[]);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].starts_with("left alone: http:page:message-1-ada"),
        "{faults:?}"
    );
    let mut looks = record.clone();
    looks.doubted.insert(once.clone());
    assert_eq!(left_alone(&unknown, &looks, &[]), Vec::<String>::new());
    assert_eq!(left_alone(&unknown, &record, &[once]), Vec::<String>::new());
    for (contact, faults) in [(1, 1), (0, 0)] {
        let mut says = record.clone();
        change_events(&mut says, "i2", |events| {
            events.push(of_page(
                "page-outcome-unknown",
                json!({ "contact": contact }),
            ));
        });
        assert_eq!(left_alone(&unknown, &says, &[]).len(), faults, "{contact}");
    }
}

#[test]
fn a_message_names_incidents_one_by_one_and_in_ranges() {
    for (text, named) in [
        ("*#4 Down* and #12", vec![4, 12]),
        ("and 4 more: #7–#9 #11", vec![7, 8, 9, 11]),
        ("inc-3-down, #room, 5", vec![]),
    ] {
        let numbers: Vec<u64> = numbers_in(text).into_iter().collect();
        assert_eq!(numbers, named, "{text}");
    }
}
