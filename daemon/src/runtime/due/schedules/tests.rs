use tocsin_core::IncidentId;
use tocsin_core::command::Delays;
use tocsin_core::time::HOUR_MS;
use tocsin_store::MemoryStore;

use super::*;
use crate::runtime::engine::Engine;

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn engine(store: &Arc<MemoryStore>) -> Engine {
    let store = Arc::clone(store) as Arc<dyn Store>;
    let make_id = Box::new(|_| IncidentId("i1".to_owned()));
    Engine::start(store, Arc::default(), Delays::default(), make_id).unwrap()
}

fn hourly() -> Schedule {
    Schedule::parse("0 * * * *", "UTC").unwrap()
}

/// What an engine that starts at `now` asks for the schedule of a plugin.
fn look(store: &MemoryStore, now: Timestamp) -> Option<Request> {
    let first = schedule_timer("chat".into(), "hourly".to_owned(), &hourly(), now);
    arming(store, first.unwrap().into_iter().collect()).unwrap()
}

fn ask(engine: &mut Engine, request: Option<Request>) -> Result<(), EngineError> {
    let answers = engine.process(request.into_iter().collect(), NOW).unwrap();
    answers.into_iter().try_for_each(|it| it.map(drop))
}

fn timers(store: &MemoryStore) -> Vec<TimerRow> {
    store.timers(None, 10).unwrap()
}

#[test]
fn two_engines_that_start_at_once_give_a_schedule_one_timer() {
    let store = Arc::new(MemoryStore::new());
    let (mut one, mut two) = (engine(&store), engine(&store));
    // Between their looks an hour ends, so that they want the timer at different times.
    let (first, second) = (look(&store, NOW), look(&store, NOW.plus_ms(HOUR_MS)));
    ask(&mut one, first).unwrap();
    let refused = ask(&mut two, second);
    assert!(
        matches!(
            refused,
            Err(EngineError::Commit(CommitError::Conflict { .. }))
        ),
        "{refused:?}"
    );
    assert_eq!(timers(&store).len(), 1);
    assert!(look(&store, NOW.plus_ms(HOUR_MS)).is_none(), "all is well");
}

#[test]
fn a_schedule_that_is_gone_does_not_take_a_timer_that_has_just_fired() {
    let store = Arc::new(MemoryStore::new());
    let (mut one, mut two) = (engine(&store), engine(&store));
    ask(&mut one, look(&store, NOW)).unwrap();
    let gone = arming(store.as_ref(), Vec::new()).unwrap();
    let set = timers(&store).remove(0);
    let fired = ticking(set, NOW.plus_ms(HOUR_MS), |_, _| Some(hourly()));
    ask(&mut one, fired.ok()).unwrap();
    let refused = ask(&mut two, gone);
    assert!(
        matches!(
            refused,
            Err(EngineError::Commit(CommitError::TimerTaken(_)))
        ),
        "{refused:?}"
    );
    let gone = arming(store.as_ref(), Vec::new()).unwrap();
    ask(&mut two, gone).unwrap();
    assert_eq!(timers(&store), []);
}

#[test]
fn of_two_timers_of_one_schedule_one_goes() {
    let store = Arc::new(MemoryStore::new());
    let mut engine = engine(&store);
    let first = |now| schedule_timer("chat".into(), "hourly".to_owned(), &hourly(), now).unwrap();
    let both = [first(NOW), first(NOW.plus_ms(HOUR_MS))];
    let write = Write {
        timers_set: both.into_iter().flatten().collect(),
        ..Write::default()
    };
    ask(&mut engine, Some(Request::Write(Box::new(write)))).unwrap();
    assert_eq!(timers(&store).len(), 2);
    ask(&mut engine, look(&store, NOW)).unwrap();
    assert_eq!(timers(&store).len(), 1);
}
