//! Compares the on-disk store with the in-memory store over random commands.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use tocsin_core::Timestamp;

use crate::{
    Append, Batch, ClaimToken, Class, CommandKey, CommandResult, Guard, MemoryStore, NewDelivery,
    OutboxKey, Pack, Position, RowChange, Settle, SledStore, Store, StreamId, Table, TimerKey,
    TimerRow,
};

/// Most claims from which a run settles; older ones are dropped.
const TOKENS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Rough>),
    Claim {
        class: Class,
        limit: usize,
        lease_ms: u64,
    },
    Expire(usize),
    Wait(i64),
    Reopen,
}

/// A batch before the run fills in expected versions, times and claims.
#[derive(Clone, Debug)]
struct Rough {
    appends: Vec<(u8, i8, u8)>,
    guards: Vec<(u8, bool)>,
    rows: Vec<(u8, Option<u8>, Option<i64>)>,
    outbox: Vec<(Class, u8, Option<u8>, i64)>,
    cancel: Vec<(Class, u8, u8)>,
    timers: Vec<(i64, u8)>,
    timers_cancel: Vec<(i64, u8)>,
    /// Whether to take the earliest timer, or one that is probably not set.
    timers_take: Option<bool>,
    command: Option<(u8, i64)>,
    settle: Option<(u8, Option<i64>)>,
    packs: Vec<(u8, i8)>,
    needs_first: bool,
}

fn class() -> impl Strategy<Value = Class> {
    prop_oneof![1 => Just(Class::Page), 2 => Just(Class::State)]
}

fn rough() -> impl Strategy<Value = Rough> {
    let ends = (
        vec((-2..9_i64, 0..4_u8), 0..2),
        vec((-2..9_i64, 0..4_u8), 0..2),
        proptest::option::weighted(0.2, (0..4_u8, 0..20_i64)),
        proptest::option::weighted(0.4, (0..3_u8, proptest::option::of(0..4_i64))),
        vec((0..3_u8, prop_oneof![9 => Just(0_i8), 1 => -1..2_i8]), 0..2),
        proptest::bool::weighted(0.1),
        proptest::option::weighted(0.2, proptest::bool::weighted(0.8)),
    );
    let rest = (
        // Usually the current version, sometimes one next to it.
        vec(
            (
                0..3_u8,
                prop_oneof![9 => Just(0_i8), 1 => -1..2_i8],
                0..3_u8,
            ),
            0..3,
        ),
        vec((0..4_u8, proptest::bool::weighted(0.9)), 0..2),
        vec(
            (
                0..4_u8,
                proptest::option::of(0..9_u8),
                proptest::option::of(0..20_i64),
            ),
            0..3,
        ),
        vec(
            (
                class(),
                0..2_u8,
                proptest::option::weighted(0.8, 0..2_u8),
                -2..4_i64,
            ),
            0..3,
        ),
        vec((class(), 0..2_u8, 0..9_u8), 0..2),
    );
    (rest, ends).prop_map(|(rest, ends)| {
        let (appends, guards, rows, outbox, cancel) = rest;
        let (timers, timers_cancel, command, settle, packs, needs_first, timers_take) = ends;
        Rough {
            appends,
            guards,
            rows,
            outbox,
            cancel,
            timers,
            timers_cancel,
            timers_take,
            command,
            settle,
            packs,
            needs_first,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => vec(rough(), 1..4).prop_map(Step::Commit),
        4 => (class(), 0..4_usize, 0..9_u64)
            .prop_map(|(class, limit, lease_ms)| Step::Claim { class, limit, lease_ms }),
        1 => (0..4_usize).prop_map(Step::Expire),
        2 => (0..6_i64).prop_map(Step::Wait),
        1 => Just(Step::Reopen),
    ]
}

struct Run {
    memory: MemoryStore,
    disk: Option<SledStore>,
    folder: TempDir,
    now: i64,
    /// The newest number in the outbox.
    seq: u64,
    /// A counter for unique values.
    made: u64,
    tokens: Vec<ClaimToken>,
}

impl Run {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let disk = Some(SledStore::open(folder.path()).unwrap());
        let memory = MemoryStore::new();
        Self {
            memory,
            disk,
            folder,
            now: 0,
            seq: 0,
            made: 0,
            tokens: Vec::new(),
        }
    }

    fn disk(&self) -> &SledStore {
        self.disk.as_ref().unwrap()
    }

    fn step(&mut self, step: Step) {
        let now = Timestamp(self.now);
        match step {
            Step::Commit(group) => {
                let group: Vec<_> = group.into_iter().map(|rough| self.batch(rough)).collect();
                let expected = self.memory.commit(group.clone()).unwrap();
                assert_eq!(self.disk().commit(group).unwrap(), expected);
                let queued = expected.iter().flatten().flat_map(|it| &it.queued);
                self.seq = queued.map(|key| key.seq).fold(self.seq, u64::max);
            }
            Step::Claim {
                class,
                limit,
                lease_ms,
            } => {
                let expected = self.memory.claim(class, now, limit, lease_ms).unwrap();
                assert_eq!(
                    self.disk().claim(class, now, limit, lease_ms).unwrap(),
                    expected
                );
                self.tokens
                    .extend(expected.into_iter().map(|claim| claim.token));
                let old = self.tokens.len().saturating_sub(TOKENS);
                self.tokens.drain(..old);
            }
            Step::Expire(limit) => {
                let expected = self.memory.expire(now, limit).unwrap();
                assert_eq!(self.disk().expire(now, limit).unwrap(), expected);
            }
            Step::Wait(ms) => self.now += ms,
            Step::Reopen => {
                self.memory = self.memory.crash_copy();
                self.disk = None;
                self.disk = Some(SledStore::open(self.folder.path()).unwrap());
            }
        }
        self.compare();
    }

    fn batch(&mut self, rough: Rough) -> Batch {
        let name = |n: u8| ["", "a", "a\0", "b"][usize::from(n)].to_owned();
        let timer = |(due, n): (i64, u8)| TimerKey {
            due: Timestamp(due),
            kind: name(n / 2),
            id: name(n % 2),
        };
        let streams: Vec<_> = self.memory.streams(None, 9).unwrap();
        let stands = |stream: &StreamId| {
            streams
                .iter()
                .find(|(name, _)| name == stream)
                .map_or(0, |(_, version)| *version)
        };
        let append = |(n, off, events): (u8, i8, u8)| {
            let stream = StreamId(name(n));
            let expected = stands(&stream).saturating_add_signed(i64::from(off));
            Append {
                stream,
                expected,
                events: (0..events).map(|n| json!({"n": n})).collect(),
            }
        };
        let guard = |(n, right): (u8, bool)| {
            let row = self.memory.row(Table::Key, &name(n)).unwrap();
            let revision = row.map_or(0, |row| row.revision) + u64::from(!right);
            Guard {
                table: Table::Key,
                key: name(n),
                revision,
            }
        };
        let settles = rough.settle.and_then(|(n, retry_at)| {
            // The newest claims, which are usually still valid.
            let token = self.tokens.iter().rev().nth(usize::from(n))?.clone();
            Some(Settle {
                token,
                retry_at: retry_at.map(|ms| Timestamp(self.now + ms)),
            })
        });
        let pack = |(n, off): (u8, i8)| {
            let stream = StreamId(name(n));
            let expected = stands(&stream).saturating_add_signed(i64::from(off));
            Pack { stream, expected }
        };
        let packs = rough.packs.into_iter().map(pack).collect();
        let timers_take = rough.timers_take.map(|earliest| {
            let first = self.memory.timers(None, 1).unwrap().pop();
            let first = first.filter(|_| earliest).map(|timer| timer.key);
            first.unwrap_or_else(|| timer((8, 3)))
        });
        let mut outbox = Vec::new();
        for (class, lane, coalesce, ms) in rough.outbox {
            self.made += 1;
            outbox.push(NewDelivery {
                class,
                lane: name(lane),
                coalesce: coalesce.map(name),
                not_before: Timestamp(self.now + ms),
                created_at: Timestamp(self.now),
                body: json!(self.made),
            });
        }
        Batch {
            appends: rough.appends.into_iter().map(append).collect(),
            guards: rough.guards.into_iter().map(guard).collect(),
            rows: rough
                .rows
                .into_iter()
                .map(|(n, value, ms)| RowChange {
                    table: Table::Key,
                    key: name(n),
                    value: value.map(|value| json!(value).into()),
                    expires_at: ms.map(|ms| Timestamp(self.now + ms)),
                })
                .collect(),
            outbox_cancel: rough
                .cancel
                .into_iter()
                .map(|(class, lane, back)| OutboxKey {
                    class,
                    lane: name(lane),
                    seq: self.seq.saturating_sub(u64::from(back)),
                })
                .collect(),
            outbox,
            timers_set: rough
                .timers
                .into_iter()
                .map(|key| TimerRow {
                    key: timer(key),
                    payload: json!(self.now),
                })
                .collect(),
            timers_cancel: rough.timers_cancel.into_iter().map(timer).collect(),
            timers_take: timers_take.into_iter().collect(),
            command: rough.command.map(|(n, ms)| CommandResult {
                key: CommandKey(name(n)),
                result: json!(self.made),
                expires_at: Timestamp(self.now + ms),
            }),
            settles,
            packs,
            needs: rough.needs_first.then_some(0).into_iter().collect(),
        }
    }

    /// Checks that everything readable is equal.
    fn compare(&self) {
        let (memory, disk) = (&self.memory as &dyn Store, self.disk() as &dyn Store);
        let streams = memory.streams(None, 99).unwrap();
        assert_eq!(disk.streams(None, 99).unwrap(), streams);
        for (stream, _) in &streams {
            let events = memory.read_stream(stream, 0, 999).unwrap();
            assert_eq!(disk.read_stream(stream, 0, 999).unwrap(), events);
        }
        let rows = memory.rows(Table::Key, "", None, 99).unwrap();
        assert_eq!(disk.rows(Table::Key, "", None, 99).unwrap(), rows);
        assert_eq!(
            disk.timers(None, 999).unwrap(),
            memory.timers(None, 999).unwrap()
        );
        assert_eq!(disk.next_timer().unwrap(), memory.next_timer().unwrap());
        let now = Timestamp(self.now);
        assert_eq!(
            disk.timers_due(now, 9).unwrap(),
            memory.timers_due(now, 9).unwrap()
        );
        for class in Class::ALL {
            let outbox = memory.outbox(class, None, 999).unwrap();
            assert_eq!(disk.outbox(class, None, 999).unwrap(), outbox);
            assert_eq!(
                disk.next_ready(class).unwrap(),
                memory.next_ready(class).unwrap()
            );
        }
        let newest = memory.feed_position().unwrap();
        assert_eq!(disk.feed_position().unwrap(), newest);
        for back in 0..9 {
            let after = Position(newest.0.saturating_sub(back));
            let feed = memory.feed(after, 99).unwrap();
            assert_eq!(disk.feed(after, 99).unwrap(), feed);
        }
        for key in ["", "a", "a\0", "b"].map(|key| CommandKey(key.to_owned())) {
            let result = memory.command_result(&key).unwrap();
            assert_eq!(disk.command_result(&key).unwrap(), result);
        }
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(64)
    }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn the_disk_does_what_memory_does(steps in vec(step(), 1..64)) {
        let mut run = Run::new();
        for step in steps {
            run.step(step);
        }
    }
}
