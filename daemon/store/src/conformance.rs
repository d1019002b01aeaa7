//! The conformance suite for stores: a store that passes can be used by the daemon, and results of
//! scenarios on the in-memory store apply to the on-disk store.
//!
//! [`conformance_suite!`](crate::conformance_suite) generates a test for each case, given a
//! function that creates an empty [`Subject`].

#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "these are tests, and their names say what they require"
)]

pub mod commits;
pub mod deliveries;
pub mod feed;
pub mod guards;
pub mod lanes;
pub mod limits;
pub mod packs;
pub mod reads;
pub mod timers;
pub mod writers;

use serde_json::{Value, json};
use tocsin_core::Timestamp;

use crate::{
    Append, Batch, Claimed, Class, CommandKey, CommandResult, CommitError, Committed, NewDelivery,
    OutboxKey, OutboxRow, RowChange, Settle, Store, StreamId, Table, TimerKey, TimerRow,
};

/// A store under test.
pub trait Subject {
    fn store(&self) -> &dyn Store;

    /// The store after a crash at this moment.
    fn reopened(self: Box<Self>) -> Box<dyn Subject>;
}

/// Generates a test for each case of the suite. The argument is a function that returns a
/// `Box<dyn Subject>` with an empty store.
#[macro_export]
macro_rules! conformance_suite {
    ($make:expr) => {
        $crate::conformance_suite! { $make;
            commits: a_batch_commits_whole, a_refused_batch_leaves_nothing,
                a_conflict_fails_only_its_own_batch, later_batches_see_earlier_ones_of_the_group,
                a_stream_refuses_a_version_that_has_passed, revisions_are_never_used_twice,
                a_command_is_carried_out_once, several_appends_to_one_stream_follow_each_other,
                everything_is_there_after_a_crash,
                a_batch_falls_with_those_it_needs, readers_never_see_a_batch_in_part;
            guards: an_answer_has_the_revisions_that_its_rows_got,
                a_guard_refuses_a_row_that_moved, a_guard_refuses_a_row_that_is_there,
                a_guard_refuses_a_row_that_was_removed,
                a_guard_refuses_a_row_that_was_removed_and_written_again, a_guard_sees_its_group,
                a_guard_does_not_see_what_was_refused, a_guard_sees_the_whole_of_a_large_group,
                a_guard_is_checked_before_the_rows_of_its_batch;
            limits: too_large_is_refused_before_anything_is_written,
                a_group_that_is_too_long_is_refused_whole, the_largest_values_are_kept;
            reads: a_stream_is_read_in_pages, streams_with_unusual_names_stay_separate,
                streams_are_listed_with_their_versions, rows_are_read_by_prefix_in_pages,
                tables_stay_apart, what_expired_is_forgotten_and_nothing_else,
                a_row_written_again_lives_by_its_new_time, verify_finds_a_sound_store_sound,
                verify_names_an_event_that_is_no_envelope;
            packs: a_packed_stream_reads_as_before, a_packed_stream_takes_more_events,
                a_stream_is_packed_with_the_events_of_its_batch,
                a_pack_refuses_a_version_that_has_passed, a_refused_batch_packs_nothing,
                events_that_do_not_fit_together_are_kept_apart, a_stream_that_is_not_there_packs,
                verify_reads_what_is_packed;
            timers: timers_come_in_due_order, a_timer_stays_until_it_is_cancelled,
                a_timer_set_again_has_its_new_payload, the_next_timer_is_the_earliest,
                timers_before_1970_come_first, timers_are_listed_in_pages,
                a_timer_is_taken_once, a_batch_that_takes_a_timer_sees_its_group,
                a_refused_batch_takes_no_timer, a_timer_set_again_may_be_taken_again;
            deliveries: a_claim_hands_out_the_oldest_ready_row, a_settled_row_is_gone,
                a_retry_waits_for_its_time, an_attempt_cut_off_by_a_crash_is_known,
                a_settled_attempt_is_not_interrupted, a_lapsed_lease_is_claimed_again,
                a_claim_that_was_taken_over_cannot_settle, a_lapsed_claim_may_settle_until_taken,
                fencing_numbers_rise_over_a_crash, a_claim_settles_once_in_a_group,
                a_refused_batch_leaves_the_claim_standing, classes_have_rows_of_their_own,
                a_cancelled_row_is_not_claimed, a_cancelled_claim_stays_gone_after_a_retry,
                deliveries_are_listed_in_pages, numbers_rise_in_the_order_of_what_was_queued,
                a_number_is_never_used_again;
            lanes: a_claim_takes_its_whole_lane, a_claim_takes_one_row_per_lane,
                lanes_that_waited_longest_come_first, a_retry_does_not_hold_up_its_lane,
                next_ready_is_the_earliest_of_the_class, next_ready_of_a_held_lane_is_its_lease,
                a_newer_state_replaces_the_waiting_one, a_state_being_delivered_is_not_replaced,
                only_the_same_state_of_the_same_lane_is_replaced, pages_are_never_merged;
            feed: the_feed_says_what_a_commit_changed,
                what_changes_no_stream_or_row_has_no_position, what_is_forgotten_is_in_the_feed,
                the_feed_is_read_in_pages, an_answer_of_the_feed_has_a_size,
                a_reader_too_far_behind_is_told, a_position_is_never_used_again,
                the_feed_hides_nothing_over_a_restart;
            writers: two_writers_get_different_numbers, two_writers_take_a_timer_once,
                two_writers_write_a_guarded_row_once, a_follower_misses_nothing_of_two_writers;
        }
    };
    ($make:expr; $($module:ident: $($case:ident),+;)+) => {
        $($(
            #[test]
            fn $case() {
                $crate::conformance::$module::$case($make());
            }
        )+)+
    };
}

fn stream(name: &str) -> StreamId {
    StreamId(name.to_owned())
}

fn event(n: u64) -> Value {
    json!({"v": 1, "type": "tested", "at": 5, "data": {"n": n}})
}

fn append(name: &str, expected: u64, events: u64) -> Append {
    let events = (expected + 1..=expected + events).map(event).collect();
    Append {
        stream: stream(name),
        expected,
        events,
    }
}

fn row(table: Table, key: &str, value: impl Into<Value>) -> RowChange {
    RowChange {
        table,
        key: key.to_owned(),
        value: Some(value.into().into()),
        expires_at: None,
    }
}

/// A delivery that is ready at `not_before`. Its body is `n`, which identifies it in a test.
fn delivery(class: Class, lane: &str, n: u64, not_before: i64) -> NewDelivery {
    NewDelivery {
        class,
        lane: lane.to_owned(),
        coalesce: None,
        not_before: Timestamp(not_before),
        created_at: Timestamp(1),
        body: json!(n),
    }
}

fn kept(new: NewDelivery, key: &OutboxKey, attempts: u32) -> OutboxRow {
    OutboxRow {
        key: key.clone(),
        coalesce: new.coalesce,
        not_before: new.not_before,
        created_at: new.created_at,
        attempts,
        body: new.body,
    }
}

fn timer(due: i64, kind: &str, id: &str) -> TimerRow {
    let key = TimerKey {
        due: Timestamp(due),
        kind: kind.to_owned(),
        id: id.to_owned(),
    };
    TimerRow {
        key,
        payload: json!({"due": due}),
    }
}

fn command(key: &str, result: &str, expires_at: i64) -> CommandResult {
    let (key, expires_at) = (CommandKey(key.to_owned()), Timestamp(expires_at));
    CommandResult {
        key,
        result: json!(result),
        expires_at,
    }
}

fn settle(claim: &Claimed, retry_at: Option<i64>) -> Batch {
    let settle = Settle {
        token: claim.token.clone(),
        retry_at: retry_at.map(Timestamp),
    };
    Batch {
        settles: Some(settle),
        ..Batch::default()
    }
}

fn queue(store: &dyn Store, outbox: Vec<NewDelivery>) -> Vec<OutboxKey> {
    commit(
        store,
        Batch {
            outbox,
            ..Batch::default()
        },
    )
    .unwrap()
    .queued
}

fn commit(store: &dyn Store, batch: Batch) -> Result<Committed, CommitError> {
    store.commit(vec![batch]).unwrap().remove(0)
}

const LEASE_MS: u64 = 1_000;

fn claim(store: &dyn Store, class: Class, now: i64) -> Vec<Claimed> {
    store.claim(class, Timestamp(now), 100, LEASE_MS).unwrap()
}

/// The lane and body of each claim.
fn claimed(claims: &[Claimed]) -> Vec<(&str, u64)> {
    claims
        .iter()
        .map(|claim| (claim.row.key.lane.as_str(), number(&claim.row)))
        .collect()
}

fn number(row: &OutboxRow) -> u64 {
    row.body.as_u64().unwrap()
}
