//! Tests that `tocsin policy test` gives the same results as the daemon.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use tocsin_core::alert::{KeyRow, Tally};
use tocsin_core::event::{Event, Opened, Recorded};
use tocsin_core::incident::Counts;
use tocsin_core::{Actor, Incident, PolicySource};
use tocsin_policy::testing::run_tests;
use tocsin_store::{Batch, MemoryStore, Store};

use super::*;
use crate::people::Roster;
use crate::runtime::delivery::Subscribers;
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::time::policy_time;

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const HEADER: &str = "// Says all that it sees, so that a difference shows.\n";
const ROUTING: &str = r#"
fn route(alert) {
    #{
        key: `key-${alert.label("service")}`,
        service: alert.label("service", "none"),
        title: if alert.label("title") == "" { alert.title } else { alert.label("title") },
        reason: `${alert.integration} ${alert.title} ${alert.starts_at_ms} ${alert.label("tier")}`,
    }
}
"#;
const GRADING: &str = r#"
fn grade(incident, alert) {
    let i = incident;
    let tier = alert.label("tier");
    #{
        grade: if i.alerts.firing > 2 { "critical" }
            else if tier == "1" { "major" } else { "minor" },
        security: tier == "2",
        reason: `${i.id} ${i.number} ${i.key} ${i.title} ${i.service} ${i.team} ${i.grade} ` +
            `${i.security} ${i.status} ${i.alerts.total} ${i.alerts.firing} ${i.label("tier")} ` +
            `${i.opened_at_ms} ${i.acknowledged} ${i.drill} ${alert.title} ${tier}`,
    }
}
"#;
const ESCALATION: &str = r#"
fn escalate(incident, ctx) {
    let i = incident;
    #{
        steps: [#{ page: person(`of-${i.grade}`), wait: minutes(i.alerts.firing) }],
        reason: `${i.id} ${i.number} ${i.key} ${i.title} ${i.service} ${i.team} ${i.grade} ` +
            `${i.security} ${i.status} ${i.alerts.total} ${i.alerts.firing} ${i.label("tier")} ` +
            `${i.opened_at_ms} ${i.acknowledged} ${i.drill} ${ctx.now.hour} ${ctx.load("ada")}`,
    }
}
"#;

/// An open incident with the alert's key.
#[derive(Clone, Debug)]
struct Standing {
    grade: Grade,
    by_person: bool,
    security: bool,
    drill: bool,
    acknowledged: bool,
    mitigated: bool,
    tier: u8,
    total: u64,
    firing: u64,
}

fn standing() -> impl Strategy<Value = Standing> {
    let grade = prop::sample::select(Grade::ALL.to_vec());
    let flags = any::<(bool, bool, bool, bool, bool)>();
    (grade, flags, 0..4_u8, 0..5_u64, 0..5_u64).prop_map(|(grade, flags, tier, more, firing)| {
        let (by_person, security, drill, acknowledged, mitigated) = flags;
        Standing {
            grade,
            by_person,
            security,
            drill,
            acknowledged,
            mitigated,
            tier,
            total: firing + more,
            firing,
        }
    })
}

fn alert() -> impl Strategy<Value = Signal> {
    let title = "[a-z]{1,8}( [a-z]{1,8}){0,3}";
    (
        title,
        "[a-c]",
        0..4_u8,
        prop::option::of("[a-z]{1,9}"),
        0..9_i64,
    )
        .prop_map(|(title, service, tier, named, since)| {
            let mut labels = labels(&service, tier);
            labels.extend(named.map(|it| ("title".to_owned(), it)));
            Signal {
                integration: "prometheus".into(),
                fingerprint: "f".into(),
                starts_at: Timestamp(NOW.0 - since),
                ..by_hand(&title, "", labels, NOW)
            }
        })
}

fn labels(service: &str, tier: u8) -> Labels {
    let pairs = [("service", service.to_owned()), ("tier", tier.to_string())];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

impl Standing {
    fn incident(&self, service: &str) -> Incident {
        let opened = Opened {
            number: 7,
            key: format!("key-{service}").as_str().into(),
            title: "it was slow before".to_owned(),
            summary: String::new(),
            service: service.to_owned(),
            team: Some("payments".into()),
            grade: self.grade,
            security: self.security,
            grade_reason: "it is bad".to_owned(),
            grade_source: (!self.by_person).then(PolicySource::default),
            route_reason: String::new(),
            route_source: None,
            plan: Plan { steps: Vec::new() },
            plan_reason: String::new(),
            plan_source: None,
            labels: labels(service, self.tier),
            link: None,
            counts: Counts::default(),
            drill: self.drill,
        };
        let recorded = |event: Event| Recorded {
            at: NOW.minus_ms(60_000),
            by: Actor::Tocsin,
            event,
        };
        let first = recorded(Event::Opened(Box::new(opened)));
        let mut incident = Incident::begin(&"i1".into(), &first).unwrap();
        if self.acknowledged {
            let via = "chat".to_owned();
            incident = incident.fold(&recorded(Event::Acknowledged { via }));
        }
        if self.mitigated {
            let reason = "the cache is off".to_owned();
            incident = incident.fold(&recorded(Event::Mitigated { reason }));
        }
        incident
    }

    fn counts(&self) -> Counts {
        Counts {
            total: self.total,
            firing: self.firing,
        }
    }
}

fn policies() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let texts = [ROUTING, GRADING, ESCALATION];
    for (name, text) in ["routing", "grading", "escalation"].into_iter().zip(texts) {
        let path = folder.path().join(format!("{name}.rhai"));
        fs::write(path, format!("{HEADER}{text}")).unwrap();
    }
    folder
}

/// An assessor of a daemon whose store contains this incident.
fn assessor(folder: &Path, standing: Option<&Incident>, counts: Counts) -> Assessor {
    let store = Arc::new(MemoryStore::new());
    let view = Arc::new(View::new(Arc::clone(&store) as Arc<dyn Store>));
    if let Some(incident) = standing {
        let row = KeyRow {
            incident: incident.id.clone(),
        };
        let mut batch = Batch::default();
        let key = incident.about.key.as_str();
        INCIDENT_KEYS.put(key, &row).unwrap().lay_out(&mut batch);
        assert!(store.commit(vec![batch]).unwrap()[0].is_ok());
        view.has_followed(store.feed_position().unwrap(), NOW);
        view.publish(&Arc::new(IncidentState {
            incident: Arc::new(incident.clone()),
            tally: Tally {
                counts,
                ..Tally::default()
            },
        }));
    }
    Assessor {
        policies: Arc::new(Policies::load(folder, None)),
        responders: ResponderLookup {
            roster: Arc::new(Roster::default()),
            served: Arc::new(arc_swap::ArcSwap::<Subscribers>::default()),
            has_mail: false,
        },
        silences: Arc::new(Silences::load(store.clone()).unwrap()),
        view,
        grade_labels: vec!["tier".to_owned()],
        zone: chrono_tz::UTC,
        fallback: Vec::new(),
        delays: Delays::default(),
        metrics: Arc::default(),
        context: Mutex::default(),
        failures: Mutex::default(),
    }
}

/// An alert and an incident as a test file describes them.
fn alert_case(signal: &Signal) -> Value {
    json!({
        "integration": signal.integration, "fingerprint": signal.fingerprint,
        "title": signal.title, "labels": signal.labels, "starts_at_ms": signal.starts_at,
    })
}

fn incident_case(standing: Option<&Incident>, counts: Counts, target: &Target) -> Value {
    let Some(incident) = standing else {
        // What a test leaves out is as in an incident that opens.
        let mut case = json!({
            "key": target.key, "service": target.service, "opened_at_ms": NOW,
        });
        case["title"] = json!(target.title);
        return case;
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

fn write_test(folder: &Path, name: &str, questions: &Value, expect: &Value) {
    let mut test = json!({ "name": "as the daemon", "expect": expect });
    for (field, value) in questions.as_object().unwrap() {
        test[field] = value.clone();
    }
    let now = policy_time(chrono_tz::UTC, NOW);
    let file = json!({ "context": { "now": now }, "test": [test] });
    let text = toml::to_string(&toml::Value::try_from(file).unwrap()).unwrap();
    fs::write(folder.join(format!("{name}.test.toml")), text).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_policy_test_answers_as_the_daemon_decides(
        signal in alert(),
        standing in prop::option::of(standing()),
    ) {
        let folder = policies();
        let counts = standing.as_ref().map(Standing::counts).unwrap_or_default();
        let incident = standing.as_ref().map(|it| it.incident(&signal.labels["service"]));
        let assessor = assessor(folder.path(), incident.as_ref(), counts);
        let assessed = assessor.assess(&Arc::new(signal.clone()), false, NOW).unwrap();
        let assessed = assessed.expect("a new alert needs verdicts");
        let target = assessed.route.value.target().expect("nothing is ignored").clone();
        let opening = assessed.opening.expect("a new shape needs an opening");
        if standing.is_none() {
            let said = &opening.grading.reason;
            prop_assert!(said.contains(" open 1 1 "), "it counts its first alert: {said}");
        }

        let (alert, mut known) = (
            alert_case(&signal),
            incident_case(incident.as_ref(), counts, &target),
        );
        let expect = json!({
            "key": target.key, "service": target.service, "title": target.title,
            "reason": assessed.route.reason,
        });
        write_test(folder.path(), "routing", &json!({ "alert": alert }), &expect);

        let Grading { grade, security } = opening.grading.value;
        let expect = json!({
            "grade": grade, "security": security, "reason": opening.grading.reason,
        });
        let question = json!({ "alert": alert, "incident": known });
        write_test(folder.path(), "grading", &question, &expect);

        // A plan goes by the grade that the incident has once the verdict is in.
        let by_person = standing.as_ref().is_some_and(|it| it.by_person);
        let graded = standing.as_ref().map(|it| Grading {
            grade: it.grade,
            security: it.security,
        });
        let graded = opening.grading.value.over(graded, by_person);
        known["grade"] = json!(graded.grade);
        known["security"] = json!(graded.security);
        known["labels"] = match &incident {
            Some(incident) => json!(incident.about.labels),
            None => json!(signal.labels),
        };
        let step = &opening.plan.value.steps[0];
        let wait = format!("{}m", step.wait_ms / 60_000);
        let expect = json!({
            "steps": [{ "page": step.page, "wait": wait }], "reason": opening.plan.reason,
        });
        write_test(folder.path(), "escalation", &json!({ "incident": known }), &expect);

        let report = run_tests(folder.path());
        prop_assert!(report.ok(), "{report}");
        prop_assert_eq!(report.passed, 3);
    }
}
