//! Tests of deliveries of an incident that has changed since.

use serde_json::json;
use tocsin_core::event::{LogKind, Written};
use tocsin_core::{Event, Grade, Status};
use tocsin_store::encoding::encode;
use tocsin_store::{Append, Batch, MemoryStore};

use super::*;
use crate::auth::AckKey;
use crate::runtime::state::view::stream_of;

const NOW: Timestamp = Timestamp(1_000);

fn graded(grade: Grade) -> Event {
    Event::Graded {
        grade,
        security: false,
        unsure: false,
        reason: "so it is".to_owned(),
        source: None,
    }
}

/// Opened, graded, noted, acknowledged; every event by a different actor.
fn events() -> Vec<Recorded> {
    let opened = json!({ "type": "opened", "data": {
        "number": 7, "key": "k", "title": "down", "service": "shop", "grade": "minor",
        "grade_reason": "", "plan": { "steps": [] }, "plan_reason": "",
    }});
    let note = Event::Logged {
        kind: LogKind::Note,
        body: "looking".to_owned(),
        written: Written::default(),
    };
    let acknowledged = Event::Acknowledged {
        via: "slack".to_owned(),
        hold_until: None,
        approach_at: None,
    };
    let all = [
        (Actor::Tocsin, serde_json::from_value(opened).unwrap()),
        (Actor::Plugin("slack".into()), graded(Grade::Critical)),
        (Actor::Plugin("jira".into()), note),
        (Actor::Person("ada".into()), acknowledged),
    ];
    let recorded = |(by, event)| Recorded { at: NOW, by, event };
    all.into_iter().map(recorded).collect()
}

fn append(view: &View, id: &IncidentId, expected: u64, events: &[Recorded]) {
    let append = Append {
        stream: stream_of(id),
        expected,
        events: events.iter().map(|it| encode(it).unwrap()).collect(),
    };
    let batch = Batch {
        appends: vec![append],
        ..Batch::default()
    };
    view.store().commit(vec![batch]).unwrap().remove(0).unwrap();
}

struct Rig {
    view: View,
    payloads: Payloads,
    id: IncidentId,
}

impl Rig {
    fn new() -> Self {
        let base_url = "http://tocsin".to_owned();
        let links = AckLinks::new(AckKey::new([7; 32]), base_url.clone());
        let rig = Self {
            view: View::new(Arc::new(MemoryStore::default())),
            payloads: Payloads {
                roster: Arc::default(),
                base_url,
                ack_links: Arc::new(links),
            },
            id: "i1".into(),
        };
        append(&rig.view, &rig.id, 0, &events());
        rig
    }

    fn event(&self, notice: &Notice, plugin: &str) -> Option<wit::Event> {
        let (payloads, plugin) = (&self.payloads, plugin.into());
        let clearance = Clearance::Basic;
        payloads
            .event(&self.view, &self.id, notice, &plugin, clearance, NOW)
            .unwrap()
    }
}

#[test]
fn a_change_is_delivered_as_it_was_however_the_incident_has_changed_since() {
    let rig = Rig::new();
    let graded = Notice::Changed {
        from: 1,
        to: 2,
        counts_only: false,
    };
    let event = rig.event(&graded, "jira").unwrap();
    assert_eq!((event.id.as_str(), event.seq), ("i1/2/changed", 2));
    assert_eq!(event.origin, None);
    let wit::EventBody::IncidentChanged(change) = event.body else {
        panic!("{event:?}");
    };
    assert_eq!((change.before.revision, change.after.revision), (1, 2));
    assert_eq!(change.changed, ["grade"]);
    assert_eq!(change.after.acknowledged_at, None);
    assert_eq!(change.by.id, "slack");
    let echo = rig.event(&graded, "slack").unwrap();
    assert_eq!(echo.origin.as_deref(), Some("slack"));
    let beyond = Notice::Changed {
        from: 4,
        to: 5,
        counts_only: false,
    };
    assert!(rig.event(&beyond, "slack").is_none());
}

#[test]
fn a_log_entry_is_its_own_event() {
    let rig = Rig::new();
    let event = rig.event(&Notice::LogAdded { version: 3 }, "jira").unwrap();
    assert_eq!(event.origin.as_deref(), Some("jira"));
    let wit::EventBody::LogAdded(line) = event.body else {
        panic!("{event:?}");
    };
    assert_eq!((line.id.as_str(), line.body.as_str()), ("i1/3", "looking"));
    assert!(
        rig.event(&Notice::LogAdded { version: 2 }, "jira")
            .is_none()
    );
    assert!(
        rig.event(&Notice::LogAdded { version: 9 }, "jira")
            .is_none()
    );
}

#[test]
fn a_settled_page_names_who_acknowledged_unless_the_incident_ended() {
    let rig = Rig::new();
    let settled = Notice::Settled {
        page: 1,
        person: "ada".into(),
        channel: "slack".to_owned(),
        contact: 0,
    };
    let by = |event: Option<wit::Event>| match event.unwrap().body {
        wit::EventBody::Settled(it) => it.by.map(|by| by.id),
        other => panic!("{other:?}"),
    };
    assert_eq!(by(rig.event(&settled, "slack")).as_deref(), Some("ada"));
    let resolved = Recorded {
        at: NOW,
        by: Actor::Tocsin,
        event: Event::Resolved {
            reason: "over".to_owned(),
            counts: tocsin_core::alert::Counts::default(),
        },
    };
    append(&rig.view, &rig.id, 4, &[resolved]);
    let state = rig.view.incident(&rig.id).unwrap().unwrap();
    assert_eq!(state.incident.lifecycle.status, Status::Resolved);
    assert_eq!(by(rig.event(&settled, "slack")), None);
}
