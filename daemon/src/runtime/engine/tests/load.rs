//! What is kept of the work of people: their pages, and their time in roles.

use tocsin_core::Role;
use tocsin_core::time::MINUTE_MS;
use tocsin_policy::CandidateLoad;

use super::*;
use crate::people::{LOAD_WINDOW_MS, Roster};
use crate::runtime::LoadReader;
use crate::runtime::state::tables::page_count::pages_of;

/// It is 22:13 in UTC, where ada is.
const NIGHT: Timestamp = NOW;
const MAIL: (&str, &str) = ("mail", "ada@example.com");

fn load(engine: &Engine, who: &str, now: Timestamp) -> CandidateLoad {
    let (view, roster) = (engine.view(), Roster::default());
    let reader = LoadReader::at(&view, &roster, now);
    reader.candidate_load(&who.into()).unwrap()
}

/// How often ada was paged, and how often at night.
fn pages(engine: &Engine, now: Timestamp) -> (u64, u64) {
    let load = load(engine, "ada", now);
    (load.pages, load.night_pages)
}

/// Sends what waits for people.
fn send(engine: &mut Engine, store: &MemoryStore, now: Timestamp) {
    loop {
        let (gathers, _) = gathering(store.timers_due(now, 10).unwrap());
        if gathers.is_empty() {
            return;
        }
        for answer in engine.process(gathers, now).unwrap() {
            answer.unwrap();
        }
    }
}

/// Opens an incident that pages ada through these contacts.
fn page_by(engine: &mut Engine, contacts: &[(&str, &str)], drill: bool, now: Timestamp) {
    let mut paging = opening();
    paging.plan.value.steps.push(Step {
        page: vec![PageTarget::Person(ada().id)],
        wait_ms: HOUR_MS,
        at: None,
    });
    let contact = |(kind, address): &(&str, &str)| Contact {
        kind: (*kind).to_owned(),
        address: (*address).to_owned(),
    };
    let contacts = contacts.iter().map(contact).collect();
    paging.responders.people.push(Person { contacts, ..ada() });
    let opens = Request::Open {
        draft: Draft {
            title: "the shop is slow".to_owned(),
            security: false,
            drill,
            ..Draft::default()
        },
        opening: Box::new(paging),
        by: Actor::Person("bob".into()),
        key: None,
    };
    done(engine, opens, now);
}

#[test]
fn pages_count_as_often_as_they_go_out_to_somebody() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    page_by(&mut engine, &[MAIL], false, NIGHT);
    assert_eq!(pages(&engine, NIGHT.plus_ms(1)), (0, 0), "it waits");
    page_by(&mut engine, &[MAIL], false, NIGHT);
    send(&mut engine, &store, NIGHT);
    let later = NIGHT.plus_ms(MINUTE_MS);
    assert_eq!(pages(&engine, later), (1, 1), "one message");
    page_by(&mut engine, &[MAIL], true, later);
    send(&mut engine, &store, later);
    assert_eq!(pages(&engine, later), (1, 1), "a drill");
    let morning = NIGHT.plus_ms(8 * HOUR_MS);
    // Nothing delivers to the first contact, and the page climbs to the third one.
    let contacts = [("pager", "1"), MAIL, ("mail", "ada@example.org")];
    page_by(&mut engine, &contacts, false, morning);
    send(&mut engine, &store, morning);
    assert_eq!(pages(&engine, morning.plus_ms(1)), (2, 1));
    let failed = Command::PageFailed {
        page: 1,
        contact: 1,
        reason: "the mailbox is full".to_owned(),
        outcome_unknown: false,
    };
    tell(&mut engine, &"i4".into(), failed, morning);
    send(&mut engine, &store, morning.plus_ms(MINUTE_MS));
    let sent = store.outbox(Class::Page, None, 10).unwrap();
    assert_eq!(sent.len(), 4, "the page has gone to the third contact too");
    assert_eq!(pages(&engine, morning.plus_ms(HOUR_MS)), (2, 1));
    let last = morning.minus_ms(HOUR_MS).plus_ms(LOAD_WINDOW_MS);
    assert_eq!(pages(&engine, last), (1, 0), "the first was before that");
}

#[test]
fn no_count_is_lost_if_two_engines_page_somebody() {
    let store = Arc::new(MemoryStore::new());
    let (mut one, mut other) = (engine(&store), engine(&store));
    for hour in 0..4 {
        let now = NIGHT.plus_ms(hour * HOUR_MS);
        let by = if hour % 2 == 0 { &mut one } else { &mut other };
        by.make_id = Box::new(move |_| IncidentId(format!("i{hour}")));
        page_by(by, &[MAIL], false, now);
        let (gathers, _) = gathering(store.timers_due(now, 10).unwrap());
        // Both see the timer, and one takes it.
        for engine in [&mut one, &mut other] {
            let _taken = engine.process(gathers.clone(), now).unwrap();
        }
        let all = (NIGHT.minus_ms(HOUR_MS), now.plus_ms(1));
        let counted = pages_of(store.as_ref(), &ada().id, all).unwrap();
        let counted: u64 = counted.iter().map(|it| it.1).sum();
        assert_eq!(counted, hour + 1);
    }
}

#[test]
fn time_in_roles_counts_while_it_lasts_and_when_it_is_over() {
    let store = Arc::new(MemoryStore::new());
    let (mut one, other) = (engine(&store), engine(&store));
    let id = open(&mut one, NOW).id.clone();
    let via = "api".to_owned();
    tell(&mut one, &id, Command::Acknowledge { via }, NOW);
    let at = |minutes: u64| NOW.plus_ms(minutes * MINUTE_MS);
    let counts = |engine: &Engine, now| {
        let load = load(engine, "ada", now);
        (load.incidents, load.operator_minutes)
    };
    assert_eq!(counts(&one, at(10)), (1, 10));
    let reason = "it was the cache".to_owned();
    tell(&mut one, &id, Command::Resolve { reason }, at(30));
    assert_eq!(counts(&one, at(90)), (1, 30));
    assert_eq!(counts(&other, at(90)), (1, 30), "another engine");
    let in_four_weeks = |minutes| at(minutes).plus_ms(LOAD_WINDOW_MS);
    assert_eq!(counts(&one, in_four_weeks(20)), (1, 10), "its end");
    assert_eq!(counts(&one, in_four_weeks(31)), (0, 0));
    assert_eq!(load(&one, "bob", at(90)), CandidateLoad::default());
}

#[test]
fn an_incident_counts_once_whichever_roles_somebody_has_in_it() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let id = open(&mut engine, NOW).id.clone();
    let take = |role| Command::HandOff {
        role: Some(role),
        to: Named {
            id: ada().id,
            person: Some(Box::new(ada())),
        },
        via: "api".to_owned(),
    };
    // It is minor, so that one person may have more than one role.
    for role in [Role::Shadow, Role::Spokesperson, Role::Operator] {
        tell(&mut engine, &id, take(role), NOW);
    }
    let reason = "it was the cache".to_owned();
    let later = NOW.plus_ms(20 * MINUTE_MS);
    tell(&mut engine, &id, Command::Resolve { reason }, later);
    let wanted = CandidateLoad {
        incidents: 1,
        operator_minutes: 20,
        spokesperson_minutes: 20,
        ..CandidateLoad::default()
    };
    assert_eq!(load(&engine, "ada", later.plus_ms(1)), wanted);
}
