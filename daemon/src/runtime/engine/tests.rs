mod load;

use std::collections::BTreeSet;

use serde_json::Value;
use tocsin_core::command::{Command, Merge, Named, Opening, Responders};
use tocsin_core::event::{LogDraft, LogKind};
use tocsin_core::intake::{AlertGrade, Assessment};
use tocsin_core::standing::Watch;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{
    Actor, Contact, Draft, Grade, Grading, Incident, IncidentKey, Labels, Ladders, PageTarget,
    Person, Plan, PolicySource, Route, Signal, SignalStatus, Step, Target, Verdict,
};
use tocsin_store::{Class, Feed, MemoryStore, Table, TimerKey};

use super::*;
use crate::runtime::state::tables::mark::Mark;
use crate::runtime::{Cause, events_of, gathering};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn engine(store: &Arc<MemoryStore>) -> Engine {
    let mut made = store.streams(None, 100).unwrap().len();
    let make_id = move |_| {
        made += 1;
        IncidentId(format!("i{made}"))
    };
    let store = Arc::clone(store) as Arc<dyn Store>;
    Engine::start(store, Arc::default(), Delays::default(), Box::new(make_id)).unwrap()
}

fn done(engine: &mut Engine, request: Request, now: Timestamp) -> Arc<Incident> {
    let answer = engine.process(vec![request], now).unwrap().remove(0);
    match answer.unwrap() {
        Answer::Done(done) => done.incident.unwrap(),
        other => panic!("{other:?}"),
    }
}

fn verdict<T>(value: T) -> Verdict<T> {
    Verdict {
        value,
        reason: "so it is".to_owned(),
        source: PolicySource::default(),
    }
}

fn opening() -> Opening {
    let grading = Grading {
        grade: Grade::Minor,
        security: false,
        unsure: false,
    };
    Opening {
        grading: verdict(grading),
        plan: verdict(Plan::default()),
        responders: Responders::default(),
        watch: Watch::default(),
    }
}

fn open(engine: &mut Engine, now: Timestamp) -> Arc<Incident> {
    let draft = Draft {
        title: "the shop is slow".to_owned(),
        key: Some("shop".into()),
        ..Draft::default()
    };
    let request = Request::Open {
        draft,
        opening: Box::new(opening()),
        by: Actor::Person("ada".into()),
        key: None,
    };
    done(engine, request, now)
}

fn tell(engine: &mut Engine, id: &IncidentId, command: Command, now: Timestamp) {
    let request = Request::Command {
        incident: id.clone(),
        by: Actor::Person("ada".into()),
        command,
        cause: Cause::default(),
    };
    done(engine, request, now);
}

fn note(body: &str) -> Command {
    Command::Log(LogDraft::of(LogKind::Note, body.to_owned()))
}

fn forgotten(engine: &mut Engine, now: Timestamp) -> usize {
    let answers = engine.process(vec![Request::Expire], now).unwrap();
    match answers.into_iter().next() {
        Some(Ok(Answer::Expired(count))) => count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_incident_that_is_over_leaves_memory_and_is_unchanged_when_read() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let id = open(&mut engine, NOW).id.clone();
    let reason = "it was the cache".to_owned();
    tell(&mut engine, &id, Command::Resolve { reason }, NOW);
    tell(&mut engine, &id, Command::Close, NOW);
    assert_eq!(forgotten(&mut engine, NOW), 0, "it may still reopen");
    let before = engine.view().incident(&id).unwrap().unwrap();
    let later = NOW.plus_ms(HOUR_MS);
    assert_eq!(forgotten(&mut engine, later), 1);
    assert_eq!(engine.view().in_memory_count(), 0);
    for table in [Table::Key, Table::Tally] {
        assert_eq!(store.rows(table, "", None, 9).unwrap(), [], "{table:?}");
    }
    let after = engine.view().incident_of_number(1).unwrap().unwrap();
    assert_eq!(after.incident, before.incident);
    assert_eq!(after.tally.counts, before.tally.counts);
    tell(&mut engine, &id, note("the post-mortem is written"), later);
    assert_eq!(forgotten(&mut engine, later), 1);
    assert_eq!(forgotten(&mut engine, later), 0);
    let events = events_of(store.as_ref(), &id).unwrap();
    assert_eq!(events.len() as u64, before.incident.version + 1);
}

#[test]
fn a_key_that_moves_to_a_new_incident_leaves_the_old_one_intact() {
    let store = Arc::new(MemoryStore::new());
    let mut first = engine(&store);
    let old = open(&mut first, NOW).id.clone();
    let reason = "it was the cache".to_owned();
    tell(&mut first, &old, Command::Resolve { reason }, NOW);
    tell(&mut first, &old, Command::Close, NOW);
    let whole = events_of(store.as_ref(), &old).unwrap();
    let new = open(&mut first, NOW).id.clone();
    assert_ne!(old, new);
    drop(first);
    let again = engine(&store);
    assert_eq!(events_of(store.as_ref(), &old).unwrap(), whole);
    let key: IncidentKey = "shop".into();
    let view = again.view();
    let snapshot = view.snapshot(NOW).unwrap();
    let state = snapshot.incident_of_key(&key).unwrap().unwrap();
    assert_eq!(state.incident.id, new);
}

#[test]
fn memory_is_up_to_date_after_a_sweep() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let opened = open(&mut engine, NOW);
    let row = RowChange {
        table: Table::Webhook,
        key: "old".to_owned(),
        value: Some(Value::Null.into()),
        expires_at: Some(NOW),
    };
    let batch = Batch {
        rows: vec![row],
        ..Batch::default()
    };
    store.commit(vec![batch]).unwrap()[0].clone().unwrap();
    let later = NOW.plus_ms(1);
    assert_eq!(forgotten(&mut engine, later), 1);
    let view = engine.view();
    assert!(!view.is_outdated().unwrap());
    let much_later = later.plus_ms(HOUR_MS);
    let read = view.snapshot(much_later).unwrap().incident(&opened.id);
    let read = read.unwrap().unwrap();
    assert!(Arc::ptr_eq(&read.incident, &opened), "read from memory");
}

/// One and the same alert that fires under a key.
fn firing(key: &str, silences_mark: Option<u64>, now: Timestamp) -> Request {
    let signal = Signal {
        integration: "prometheus".into(),
        fingerprint: "f".into(),
        status: SignalStatus::Firing,
        title: "it is slow".to_owned(),
        summary: String::new(),
        labels: Labels::new(),
        annotations: Labels::new(),
        starts_at: now,
        ends_at: None,
        link: None,
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    };
    let target = Target {
        key: key.into(),
        service: key.to_owned(),
        team: None,
        title: None,
        merges: tocsin_core::Labels::new(),
    };
    let assessment = Assessment {
        route: verdict(Route::Incident(target)),
        watch: Watch::default(),
        silenced_by: Vec::new(),
        silences_at: None,
        silences_mark,
        silences_until: None,
        grade: Some(AlertGrade {
            shape: String::new(),
            grading: opening().grading.value,
        }),
        opening: Some(opening()),
    };
    Request::Signal {
        signal: Arc::new(signal),
        assessment: Some(Box::new(assessment)),
        unless_observed_since: None,
    }
}

/// The incident that the alert enters.
fn fire(engine: &mut Engine, key: &str, now: Timestamp) -> Arc<Incident> {
    done(engine, firing(key, None, now), now)
}

#[test]
fn an_alert_is_not_written_if_a_silence_has_changed_that_the_engine_knows_nothing_of() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let revision = || Mark::SILENCES.revision(store.as_ref()).unwrap();
    let before = revision();
    let mark = Mark::SILENCES.leave(before).unwrap();
    engine.process(vec![Request::rows(mark)], NOW).unwrap();
    let older = firing("shop", Some(before), NOW);
    let answer = engine.process(vec![older], NOW).unwrap().remove(0);
    assert!(
        matches!(
            answer,
            Err(EngineError::Commit(CommitError::Conflict { .. }))
        ),
        "{answer:?}"
    );
    assert_eq!(engine.view().in_memory_count(), 0);
    done(&mut engine, firing("shop", Some(revision()), NOW), NOW);
}

#[test]
fn an_alert_that_goes_elsewhere_changes_both_incidents_in_one_commit() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let old = fire(&mut engine, "shop", NOW).id.clone();
    let reason = "it was the cache".to_owned();
    tell(&mut engine, &old, Command::Resolve { reason }, NOW);
    let before = store.feed_position().unwrap();
    let new = fire(&mut engine, "stock", NOW.plus_ms(HOUR_MS)).id.clone();
    assert_ne!(old, new);
    let Feed::Changes(commits) = store.feed(before, 9).unwrap() else {
        panic!("the feed is kept");
    };
    assert_eq!(commits.len(), 1);
    for (id, firing) in [(old, 0), (new, 1)] {
        let tally = (Table::Tally, id.to_string());
        assert!(commits[0].rows.contains(&tally), "{commits:?}");
        let state = engine.view().incident(&id).unwrap().unwrap();
        assert_eq!(state.tally.counts.firing, firing, "{id}");
    }
}

#[test]
fn a_key_that_was_taken_over_does_not_reopen_an_incident_whose_own_key_another_has() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let shop = open(&mut engine, NOW);
    let db = fire(&mut engine, "db", NOW);
    let merge = Merge {
        into: shop.number,
        may_see: false,
        reason: "one cause".to_owned(),
        target: None,
    };
    tell(&mut engine, &db.id, Command::Merge(Box::new(merge)), NOW);
    let of_key = |engine: &Engine| {
        let view = engine.view();
        let found = view.snapshot(NOW).unwrap().incident_of_key(&"db".into());
        found.unwrap().map(|it| it.incident.id.clone())
    };
    assert_eq!(of_key(&engine), Some(shop.id.clone()));
    let reason = "it was the cache".to_owned();
    tell(&mut engine, &shop.id, Command::Resolve { reason }, NOW);
    assert_eq!(of_key(&engine), Some(shop.id.clone()), "it may reopen");
    let other = open(&mut engine, NOW);
    assert_eq!(of_key(&engine), None);
    let new = fire(&mut engine, "db", NOW);
    let known = [&shop, &db, &other];
    assert!(known.iter().all(|it| it.id != new.id), "{new:?}");
    assert_eq!(of_key(&engine), Some(new.id.clone()));
}

#[test]
fn a_signal_that_changes_an_alert_adds_one_row_to_the_history_and_a_repeat_adds_none() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let rows = || store.rows(Table::History, "", None, 99).unwrap().len();
    let until = |signal: Request, status: SignalStatus| match signal {
        Request::Signal { signal, .. } => Request::Signal {
            signal: Arc::new(Signal {
                status,
                ..signal.as_ref().clone()
            }),
            assessment: None,
            unless_observed_since: None,
        },
        other => other,
    };
    fire(&mut engine, "shop", NOW);
    assert_eq!(rows(), 1);
    for minute in 1..9 {
        let at = NOW.plus_ms(minute * 60_000);
        let again = until(firing("shop", None, at), SignalStatus::Firing);
        engine.process(vec![again], at).unwrap().remove(0).unwrap();
    }
    assert_eq!(rows(), 1, "repeats");
    // In one millisecond and one group.
    let end = || until(firing("shop", None, NOW), SignalStatus::Resolved);
    let mut again = firing("shop", None, NOW.plus_ms(HOUR_MS));
    if let Request::Signal { signal, .. } = &mut again {
        Arc::make_mut(signal).title = "it is slow again".to_owned();
    }
    let later = NOW.plus_ms(HOUR_MS);
    for answer in engine
        .process(vec![end(), again, end(), end()], later)
        .unwrap()
    {
        answer.unwrap();
    }
    assert_eq!(rows(), 4);
}

fn ada() -> Person {
    Person {
        id: "ada".into(),
        name: "Ada".to_owned(),
        contacts: vec![Contact {
            kind: "mail".to_owned(),
            address: "ada@example.com".to_owned(),
        }],
        ladders: Ladders::default(),
        teams: Vec::new(),
        clearance: false,
    }
}

/// Opens an incident that pages Ada.
fn open_paging(engine: &mut Engine, now: Timestamp) -> Arc<Incident> {
    let mut paging = opening();
    paging.plan.value.steps.push(Step {
        page: vec![PageTarget::Person(ada().id)],
        wait_ms: HOUR_MS,
        at: None,
    });
    paging.responders.people.push(ada());
    let opens = Request::Open {
        draft: Draft {
            title: "the shop is slow".to_owned(),
            ..Draft::default()
        },
        opening: Box::new(paging),
        by: Actor::Person("ada".into()),
        key: None,
    };
    done(engine, opens, now)
}

#[test]
fn no_page_waits_for_a_question_that_hangs() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let asked = open_paging(&mut engine, NOW);
    let via = "chat".to_owned();
    tell(&mut engine, &asked.id, Command::Acknowledge { via }, NOW);
    let due = NOW.plus_ms(asked.hold_ms());
    let operator = Some(Named {
        id: ada().id,
        person: Some(Box::new(ada())),
    });
    let hold = Command::HoldDue { due, operator };
    tell(&mut engine, &asked.id, hold, due);
    let later = due.plus_ms(Delays::default().bundle_window_ms);
    open_paging(&mut engine, later);
    while store.outbox(Class::Page, None, 10).unwrap().len() < 2 {
        let due = store.timers_due(later, 10).unwrap();
        let (gathers, _) = gathering(due);
        assert!(!gathers.is_empty(), "nothing more goes out");
        engine.process(gathers, later).unwrap();
    }
    let waiting = store.outbox(Class::Page, None, 10).unwrap();
    let lanes: BTreeSet<_> = waiting.iter().map(|it| it.key.lane.as_str()).collect();
    assert_eq!(lanes, BTreeSet::from(["ada/mail", "ada/mail/ask"]));
}

#[test]
fn a_page_goes_out_although_an_acknowledgement_was_decided_before_and_then_refused() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let incident = open_paging(&mut engine, NOW);
    let due = store.timers_due(NOW, 10).unwrap().into_iter();
    let (gathers, _) = gathering(due.collect());
    // It is refused when it is written, as its timer was taken by another engine.
    let fired = TimerKey {
        due: NOW,
        kind: "incident".to_owned(),
        id: "taken".to_owned(),
    };
    let refused = Request::Command {
        incident: incident.id.clone(),
        by: Actor::Person("ada".into()),
        command: Command::Acknowledge {
            via: "chat".to_owned(),
        },
        cause: Cause {
            fired: Some(fired),
            ..Cause::default()
        },
    };
    let group = std::iter::once(refused).chain(gathers).collect();
    let answers = engine.process(group, NOW).unwrap();
    assert!(answers[0].is_err(), "{answers:?}");
    let waiting = store.outbox(Class::Page, None, 10).unwrap();
    assert_eq!(waiting.len(), 1, "{answers:?}");
}
