//! What tests are made of: people, plans, signals.

use std::collections::BTreeMap;

use tocsin_core::command::Command;
use tocsin_core::incident::Page;
use tocsin_core::intake::Intake;
use tocsin_core::{
    Actor, Contact, Ladders, PageTarget, Person, Plan, PolicySource, Sender, Signal, SignalStatus,
    Step, Timestamp, Verdict,
};

use super::{MINUTE, World};

/// Nothing is due but the end of the acknowledgement's hold, and the question who responds.
pub fn assert_only_the_hold_is_left(world: &World) {
    use tocsin_core::consequences::TimerKind;
    let kinds = world.timers().into_iter().map(|it| it.kind);
    let kinds: Vec<_> = kinds.filter(|it| *it != TimerKind::Respond).collect();
    assert_eq!(kinds, [TimerKind::Hold]);
}

/// Whether an incident opened.
pub fn opens(intake: &Intake) -> bool {
    intake.incidents.iter().any(|it| it.opens)
}

pub fn person(id: &str) -> Person {
    let contact = |kind: &str| Contact {
        kind: kind.to_owned(),
        address: format!("{id}@{kind}"),
    };
    Person {
        id: id.into(),
        name: id.to_owned(),
        contacts: vec![contact("slack"), contact("mail")],
        ladders: Ladders::default(),
        teams: Vec::new(),
        clearance: false,
    }
}

/// An incident that Ada operates.
pub fn operated() -> World {
    let mut world = World::default();
    world.fire("A");
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    world
}

pub fn ada() -> Actor {
    Actor::Person("ada".into())
}

/// Ada immediately, Ada and Bob after five minutes and every five minutes from then on.
pub fn plan() -> Plan {
    plan_of(&[&["ada"], &["ada", "bob"]])
}

/// A plan whose steps page these people, five minutes apart.
pub fn plan_of(steps: &[&[&str]]) -> Plan {
    let person = |id: &&str| PageTarget::Person((*id).into());
    let step = |people: &&[&str]| Step {
        at: None,
        page: people.iter().map(person).collect(),
        wait_ms: 5 * MINUTE,
    };
    Plan {
        steps: steps.iter().map(step).collect(),
        ..Plan::default()
    }
}

pub fn signal(name: &str, status: SignalStatus, now: Timestamp) -> Signal {
    Signal {
        integration: "prom".into(),
        fingerprint: name.into(),
        status,
        title: name.to_owned(),
        summary: String::new(),
        labels: BTreeMap::from([("severity".to_owned(), "page".to_owned())]),
        annotations: BTreeMap::new(),
        starts_at: now,
        ends_at: None,
        link: None,
        sender: Sender::default(),
        fires_at: None,
    }
}

pub fn verdict<T>(value: T) -> Verdict<T> {
    let source = PolicySource {
        file: "test.rhai".to_owned(),
        ..PolicySource::default()
    };
    Verdict {
        value,
        reason: "the test says so".to_owned(),
        source,
    }
}

/// Who was paged, in order.
pub fn people(world: &World) -> Vec<String> {
    world
        .paged()
        .into_iter()
        .map(|(person, _)| person)
        .collect()
}

/// Every channel accepts the pages that it was sent.
pub fn take_all(world: &mut World) {
    let pages = world.incident().paging.pages.iter();
    let wanted = |(number, page): (&u32, &Page)| {
        let number = *number;
        let contacts: Vec<_> = page.wanted_at().map(|it| (number, it)).collect();
        contacts
    };
    let sent: Vec<(u32, u32)> = pages.flat_map(wanted).collect();
    for (page, contact) in sent {
        let accepted = Command::PageAccepted {
            page,
            contact,
            interrupted: false,
            others: 0,
        };
        world.command(accepted, &Actor::Tocsin).unwrap();
    }
}

/// Every channel accepts the questions that it was sent.
pub fn take_questions(world: &mut World) {
    let asked = world.incident().prompts.all.iter();
    let wanted = asked.filter(|(_, it)| it.is_wanted_at(it.contact));
    let sent: Vec<_> = wanted.map(|(prompt, it)| (*prompt, it.contact)).collect();
    for (prompt, contact) in sent {
        let accepted = Command::PromptAccepted {
            prompt,
            contact,
            others: 0,
        };
        world.command(accepted, &Actor::Tocsin).unwrap();
    }
}
