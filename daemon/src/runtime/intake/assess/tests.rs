//! Tests that `tocsin policy test` gives the same results as the daemon.

mod drawn;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use tocsin_core::alert::{KeyRow, Place, Tally};
use tocsin_core::event::{Event, Opened, Recorded};
use tocsin_core::incident::Counts;
use tocsin_core::{Actor, Alert, Change, Incident, IncidentId, Role, Step};
use tocsin_policy::testing::run_tests;
use tocsin_store::encoding::encode;
use tocsin_store::{Append, Batch, MemoryStore, Store};

use drawn::{Around, Policy, Standing};

use super::*;
use crate::config;
use crate::people::Roster;
use crate::runtime::delivery::Subscribers;
use crate::runtime::engine::Engine;
use crate::runtime::engine::request::Request;
use crate::runtime::state::tables::alert::ALERTS;
use crate::runtime::state::tables::change;
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::runtime::state::tables::tally::TALLIES;
use crate::runtime::state::view::{events_of, stream_of};
use crate::time::policy_time;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const STANDING: &str = "i-standing";
const PEOPLE: &str = r#"
[escalation]
fallback = ["person:ada"]

[people.ada]
name = "Ada"
contacts = [{ kind = "slack", address = "U1" }]

[rotations.primary]
timezone = "Europe/Berlin"

[[rotations.primary.layers]]
people = ["ada"]
handover = "monday 09:00"
start = 2023-01-02
"#;

/// A store with an incident's events, key and counts.
fn put(store: &MemoryStore, id: &IncidentId, events: &[Recorded], counts: Counts) {
    let incident = Incident::replay(id, events).unwrap();
    let mut batch = Batch::default();
    let key = incident.about.key.as_str();
    let row = KeyRow {
        incident: id.clone(),
    };
    INCIDENT_KEYS.put(key, &row).unwrap().lay_out(&mut batch);
    let tally = Tally {
        counts,
        ..Tally::default()
    };
    let row = TALLIES.put(id.as_str(), &tally).unwrap();
    row.lay_out(&mut batch);
    batch.appends.push(Append {
        stream: stream_of(id),
        expected: 0,
        events: events.iter().map(|it| encode(it).unwrap()).collect(),
    });
    assert!(store.commit(vec![batch]).unwrap()[0].is_ok());
}

/// Other incidents that ada operates, and the changes.
fn put_around(store: &MemoryStore, around: &Around) {
    for number in 0..around.busy {
        let mut events = Standing::calm().events(&format!("other-{number}"));
        let person = "ada".into();
        events.push(Recorded {
            at: NOW.minus_ms(1_000),
            by: Actor::Tocsin,
            event: Event::RoleAssigned {
                role: Role::Operator,
                person,
            },
        });
        let id = format!("i-other-{number}").as_str().into();
        put(store, &id, &events, Counts::default());
    }
    for (number, service) in around.changed.iter().enumerate() {
        let rows = change::record(changed(service, number), NOW);
        let mut batch = Batch::default();
        rows.unwrap().lay_out(&mut batch);
        assert!(store.commit(vec![batch]).unwrap()[0].is_ok());
    }
}

fn changed(service: &str, number: usize) -> Change {
    Change {
        id: number.to_string().as_str().into(),
        integration: "pd".into(),
        summary: format!("a deployment of {service}"),
        timestamp: NOW.minus_ms(60_000),
        source: None,
        services: vec![service.to_owned()],
        environment: None,
        outcome: None,
        revision: None,
        links: Vec::new(),
    }
}

/// A daemon with one engine.
struct Daemon {
    store: Arc<MemoryStore>,
    engine: Engine,
    assessor: Assessor,
}

impl Daemon {
    fn new(folder: &Path, roster: Roster, store: Arc<MemoryStore>) -> Self {
        let subscribers = Arc::new(arc_swap::ArcSwap::<Subscribers>::default());
        let make_id = Box::new(|_| IncidentId("i-new".to_owned()));
        let (shared, served) = (Arc::clone(&store) as Arc<dyn Store>, subscribers.clone());
        let engine = Engine::start(shared, subscribers, Delays::default(), make_id).unwrap();
        let view = engine.view();
        view.has_followed(store.feed_position().unwrap(), NOW);
        let assessor = Assessor {
            policies: Arc::new(Policies::load(folder, None, false)),
            responders: ResponderLookup {
                rosters: Arc::new(Arc::new(roster)),
                served,
                has_mail: false,
            },
            silences: Arc::new(Silences::load(store.clone()).unwrap()),
            view,
            leases: engine.leases(),
            zone: chrono_tz::UTC,
            fallback: Vec::new(),
            delays: Delays::default(),
            metrics: Arc::default(),
            context: Mutex::default(),
            failures: Mutex::default(),
        };
        Self {
            store,
            engine,
            assessor,
        }
    }

    /// Has the alert assessed and decided; returns its row.
    fn take(&mut self, signal: &Arc<Signal>) -> Alert {
        let assessed = self.assessor.assess(signal, false, NOW).unwrap();
        let request = Request::Signal {
            signal: Arc::clone(signal),
            assessment: assessed.map(Box::new),
            unless_observed_since: None,
        };
        let answers = self.engine.process(vec![request], NOW).unwrap();
        for answer in answers {
            answer.unwrap();
        }
        let key = Alert::row_key(&signal.integration, &signal.fingerprint);
        let row = ALERTS.get(self.store.as_ref(), &key).unwrap();
        row.expect("the alert has a row").value
    }
}

/// An alert as a test file describes it.
fn alert_case(signal: &Signal) -> Value {
    json!({
        "integration": signal.integration, "fingerprint": signal.fingerprint,
        "title": signal.title, "labels": signal.labels, "starts_at_ms": signal.starts_at,
    })
}

/// The incident that a policy is asked about, as a test file describes it: `opened` opens, or else
/// the alert enters `standing`.
fn incident_case(standing: Option<(&Incident, Counts)>, opened: &Incident) -> Value {
    let Some((incident, counts)) = standing else {
        // What a test leaves out is as in an incident that opens.
        return json!({
            "key": opened.about.key, "service": opened.about.service, "opened_at_ms": NOW,
            "title": opened.about.title,
        });
    };
    json!({
        "id": incident.id, "number": incident.number, "key": incident.about.key,
        "title": incident.about.title, "service": incident.about.service,
        "team": incident.about.team, "grade": incident.grading.grade,
        "security": incident.grading.security, "status": incident.lifecycle.status,
        "alerts": { "total": counts.total + 1, "firing": counts.firing + 1 },
        "labels": incident.about.labels, "opened_at_ms": incident.lifecycle.opened_at,
        "acknowledged": incident.lifecycle.acknowledged_at.is_some(),
        "drill": incident.about.drill,
    })
}

/// The context of every test.
fn context_case(around: &Around, roster: &Roster) -> Value {
    let mut context = json!({ "now": policy_time(chrono_tz::UTC, NOW) });
    context["on_call"] = json!({ "primary": roster.rotations["primary"].on_call(NOW) });
    let load = Some(around.busy).filter(|it| *it > 0);
    context["load"] = load.map_or(json!({}), |it| json!({ "ada": it }));
    let changes = around.changed.iter().map(|service| changed(service, 0));
    let facts = changes
        .map(|it| json!({ "service": it.services[0], "title": it.summary, "at_ms": it.timestamp }));
    context["changes"] = facts.collect();
    context
}

/// Test files for what was committed.
struct Tests<'a> {
    folder: &'a Path,
    context: Value,
    written: usize,
}

impl Tests<'_> {
    fn expect(&mut self, name: &str, questions: &Value, expect: &Value) {
        let mut test = json!({ "name": "as the daemon", "expect": expect });
        for (field, value) in questions.as_object().unwrap() {
            test[field] = value.clone();
        }
        let file = json!({ "context": self.context, "test": [test] });
        let text = toml::to_string(&toml::Value::try_from(file).unwrap()).unwrap();
        fs::write(self.folder.join(format!("{name}.test.toml")), text).unwrap();
        self.written += 1;
    }

    fn plan(&mut self, incident: &Value, plan: &Plan, reason: &str) {
        let step =
            |it: &Step| json!({ "page": it.page, "wait": format!("{}m", it.wait_ms / 60_000) });
        let steps: Vec<Value> = plan.steps.iter().map(step).collect();
        let expect = json!({ "steps": steps, "reason": reason });
        self.expect("escalation", &json!({ "incident": incident }), &expect);
    }

    /// Everything that opening it committed: the place, the grade and the plan.
    fn opened(&mut self, alert: &Value, incident: &Incident, opened: &Opened) {
        let said = &opened.grade_reason;
        assert!(said.contains(" open 1 1 "), "its first alert: {said}");
        let expect = json!({
            "key": opened.key, "service": opened.service, "title": opened.title,
            "reason": opened.route_reason, "ignore": false,
        });
        self.expect("routing", &json!({ "alert": alert }), &expect);
        let mut known = incident_case(None, incident);
        let expect = json!({
            "grade": opened.grade, "security": opened.security, "reason": opened.grade_reason,
        });
        let question = json!({ "alert": alert, "incident": known });
        self.expect("grading", &question, &expect);
        known["grade"] = json!(opened.grade);
        known["security"] = json!(opened.security);
        known["labels"] = json!(opened.labels);
        self.plan(&known, &opened.plan, &opened.plan_reason);
    }

    /// An incident that the alert entered, and what that changed.
    fn entered(&mut self, alert: &Value, before: (&Incident, Counts), news: &[Recorded]) {
        let (incident, _) = before;
        let expect = json!({ "key": incident.about.key, "ignore": false });
        self.expect("routing", &json!({ "alert": alert }), &expect);
        let mut known = incident_case(Some(before), incident);
        let question = json!({ "alert": alert, "incident": known });
        let mut graded = json!({});
        for recorded in news {
            match &recorded.event {
                Event::Graded {
                    grade,
                    security,
                    reason,
                    ..
                } => {
                    graded["reason"] = json!(reason);
                    if *grade > incident.grading.grade {
                        graded["grade"] = json!(grade);
                    }
                    if *security && !incident.grading.security {
                        graded["security"] = json!(true);
                    }
                    known["grade"] = json!(grade);
                    known["security"] = json!(security);
                }
                Event::GradeProposed { grade, reason, .. } => {
                    (graded["reason"], graded["grade"]) = (json!(reason), json!(grade));
                }
                // A plan goes by the grade that the incident has once the verdict is in.
                Event::Planned { plan, reason, .. } => self.plan(&known, plan, reason),
                _ => {}
            }
        }
        if graded != json!({}) {
            self.expect("grading", &question, &graded);
        }
    }
}

/// Decides an alert, and writes tests that expect what the engine committed.
fn commit_and_expect(
    tests: &mut Tests<'_>,
    daemon: &mut Daemon,
    signal: &Signal,
    policy: &Policy,
    standing: Option<(&Incident, Counts)>,
) {
    let alert = alert_case(signal);
    let row = daemon.take(&Arc::new(signal.clone()));
    match row.place {
        Place::Ignored { reason, .. } => {
            let expect = json!({ "ignore": true, "reason": reason });
            tests.expect("routing", &json!({ "alert": alert }), &expect);
        }
        Place::Waiting { key, .. } => {
            let window = format!("{}m", policy.window_m);
            let expect = json!({ "key": key, "wait_for": policy.count, "within": window });
            tests.expect("routing", &json!({ "alert": alert }), &expect);
        }
        Place::Incident { id } => {
            let events = events_of(daemon.store.as_ref(), &id).unwrap();
            let incident = Incident::replay(&id, &events).unwrap();
            match (standing, &events[0].event) {
                (Some(before), _) if id.as_str() == STANDING => {
                    let known = usize::try_from(before.0.version).unwrap();
                    tests.entered(&alert, before, &events[known..]);
                }
                (_, Event::Opened(opened)) => tests.opened(&alert, &incident, opened),
                (_, other) => panic!("{other:?}"),
            }
        }
        place @ (Place::Silenced { .. } | Place::Expected {}) => panic!("{place:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_policy_test_answers_what_the_daemon_commits(
        policy in drawn::policy(),
        around in drawn::around(),
        signal in drawn::alert(),
        standing in prop::option::of(drawn::standing()),
    ) {
        let folder = policy.folder();
        let roster = config::parse(PEOPLE, "tocsin.toml", folder.path()).unwrap().config.roster();
        let store = Arc::new(MemoryStore::new());
        put_around(&store, &around);
        let standing = standing.map(|it| {
            let (id, counts) = (STANDING.into(), it.counts());
            let events = it.events(&signal.labels["service"]);
            put(&store, &id, &events, counts);
            (Incident::replay(&id, &events).unwrap(), counts)
        });
        let mut tests = Tests {
            folder: folder.path(),
            context: context_case(&around, &roster),
            written: 0,
        };
        let mut daemon = Daemon::new(folder.path(), roster, store);
        let standing = standing.as_ref().map(|(incident, counts)| (incident, *counts));
        commit_and_expect(&mut tests, &mut daemon, &signal, &policy, standing);
        let report = run_tests(folder.path(), None);
        prop_assert!(report.ok(), "{report}");
        prop_assert_eq!(report.passed, tests.written);
    }
}
