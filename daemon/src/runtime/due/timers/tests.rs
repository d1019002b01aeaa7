//! Timers of two daemons on one store.

use std::fs;
use std::path::Path;

use tocsin_core::event::Event;
use tocsin_core::time::SECOND_MS;
use tocsin_core::{Labels, Signal, SignalStatus};

use super::*;
use crate::rig::{NOW, Rig};
use crate::runtime::events_of;

const ESCALATION: &str = r#"// First ada, then bob.
fn escalate(incident) {
    #{
        steps: [
            #{ page: person("ada"), wait: minutes(5) },
            #{ page: person("bob"), wait: minutes(5) },
        ],
        reason: "ada, then bob",
    }
}
"#;
const GRADING: &str = r#"// All the same.
fn grade(incident, alert) {
    #{ grade: "major", reason: "it is slow" }
}
"#;
const ROUTING: &str = r#"// All in one.
fn route(alert) {
    #{ key: "shop", service: "shop", reason: "there is only the shop" }
}
"#;
const COMMUNICATION: &str = r#"// Says who operates.
fn cadence(incident) { #{ reason: "whenever there is news" } }
fn respond(incident, candidates) {
    let operators = candidates.filter(|it| it.operator).map(|it| it.id);
    #{ reason: if operators.is_empty() { "nobody operates" } else { `${operators[0]} operates` } }
}
"#;
const PEOPLE: &str = r#"
[people.ada]
name = "Ada"
[people.bob]
name = "Bob"
"#;

fn signal() -> Signal {
    Signal {
        integration: "prometheus".into(),
        fingerprint: "f".into(),
        status: SignalStatus::Firing,
        title: "it is slow".to_owned(),
        summary: String::new(),
        labels: Labels::new(),
        annotations: Labels::new(),
        starts_at: NOW,
        ends_at: None,
        link: None,
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    }
}

/// Two daemons with an incident that both know.
async fn two(folder: &Path) -> (Rig, Rig, IncidentId) {
    for (name, text) in [
        ("routing", ROUTING),
        ("grading", GRADING),
        ("escalation", ESCALATION),
        ("communication", COMMUNICATION),
    ] {
        fs::write(folder.join(format!("{name}.rhai")), text).unwrap();
    }
    let config = format!("{PEOPLE}\n[policy]\npath = {folder:?}\n");
    let one = Rig::new(&config, folder).await;
    let other = one.another().await;
    one.app.intake.take(vec![signal()]).await.unwrap();
    let id = one.app.view.in_memory().remove(0).incident.id.clone();
    (one, other, id)
}

#[tokio::test]
async fn who_responds_is_asked_about_the_operator_whom_another_daemon_knows() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, id) = two(folder.path()).await;
    let via = "chat".to_owned();
    let (by, command) = (Actor::Person("ada".into()), Command::Acknowledge { via });
    let told = other.app.intake.command(id.clone(), by, command, None);
    told.await.unwrap();
    assert_eq!(one.app.due.fire_due(NOW).await.unwrap(), 1);
    let events = events_of(one.store.as_ref(), &id).unwrap();
    let Some(Event::RespondersChosen { reason, .. }) = events.last().map(|it| &it.event) else {
        panic!("{events:?}");
    };
    assert_eq!(reason, "ada operates");
}

#[tokio::test]
async fn an_escalation_that_another_daemon_has_restarted_pages_its_first_step() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other, id) = two(folder.path()).await;
    let now = NOW.plus_ms(SECOND_MS);
    one.clock.set(now);
    let via = "chat".to_owned();
    let reason = "it was the wrong one".to_owned();
    for command in [
        Command::Acknowledge { via },
        Command::Unacknowledge {
            reason: Some(reason),
        },
    ] {
        let by = Actor::Person("ada".into());
        let told = other.app.intake.command(id.clone(), by, command, None);
        told.await.unwrap();
    }
    assert_eq!(one.app.due.fire_due(now).await.unwrap(), 1);
    let events = events_of(one.store.as_ref(), &id).unwrap();
    let paged = events.iter().filter_map(|it| match &it.event {
        Event::Paged { person, step, .. } => Some((person.as_str(), *step)),
        _ => None,
    });
    // Ada has withdrawn, so the second step follows the first at once.
    let expected = [("ada", 0), ("ada", 0), ("bob", 1)];
    assert_eq!(paged.collect::<Vec<_>>(), expected);
}
