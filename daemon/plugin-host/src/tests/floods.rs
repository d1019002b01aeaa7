//! Guests that log, pass or return too much data.

use super::rig::{Rig, deliver, last_line, report, signed};
use crate::capability::{LOG_LINES_MAX, LOG_LINES_PER_MIN};
use crate::guests::Guest;
use crate::wit::Outcome;

#[tokio::test]
async fn a_flood_of_log_lines_is_truncated_and_counted() {
    let rig = Rig::new();
    let mut guest = Guest::on_event(
        "(loop $l
           (call $log_write (i32.const 2) (i32.const 900) (i32.const 5) (i32.const 0) (i32.const 0))
           (global.set $n (i32.add (global.get $n) (i32.const 1)))
           (br_if $l (i32.lt_u (global.get $n) (i32.const 3000))))",
    );
    guest.more = "(global $n (mut i32) (i32.const 0))".into();
    guest.put(900, b"a\x1b[2Jb");
    let plugin = rig.load(&guest).await;
    let result = deliver(&plugin).await;
    assert_eq!(result.outcome, Ok(Outcome::Done));
    assert_eq!(result.log.len(), LOG_LINES_MAX);
    assert_eq!(result.stats.log_lines_dropped, 3000 - LOG_LINES_MAX as u32);
    assert!(
        !last_line(&result).contains('\u{1b}'),
        "{:?}",
        last_line(&result)
    );
}

#[tokio::test]
async fn a_huge_string_is_not_copied_out_of_the_guest() {
    let rig = Rig::new();
    let mut guest = Guest::on_event(
        "(call $log_write (i32.const 2) (i32.const 0) (i32.const 8388608) \
         (i32.const 0) (i32.const 0))",
    );
    guest.pages = 200;
    let plugin = rig.load(&guest).await;
    let result = deliver(&plugin).await;
    assert_eq!(
        report(&result).limit,
        Some("hostcall-bytes"),
        "{}",
        report(&result)
    );
}

/// Responds to a webhook with a body of this size; needs as much memory.
fn answers_with(body_bytes: u32) -> Guest {
    let mut guest = Guest {
        pages: body_bytes / 65_536 + 2,
        ..Guest::default()
    };
    // `ok(response)` is at 640: the status is at 8, the body's pointer and length at 20 and 24.
    guest.put(660, &4_096_u32.to_le_bytes());
    guest.put(664, &body_bytes.to_le_bytes());
    guest
}

#[tokio::test]
async fn a_response_of_a_hundred_megabytes_is_rejected_even_if_the_memory_is_granted() {
    let mut rig = Rig::new();
    rig.grant
        .push_str("\nlimits = { memory-bytes = 268435456 }");
    let plugin = rig.load(&answers_with(100 << 20)).await;
    let result = plugin.webhook(signed("a")).await;
    let report = report(&result);
    assert_eq!(report.limit, Some("hostcall-bytes"), "{report}");
    assert!(report.cause.contains("4194304 bytes"), "{report}");
    assert!(report.remedy.contains("pass less at a time"), "{report}");
}

#[tokio::test]
async fn a_flood_over_many_calls_is_limited_per_minute_in_the_daemons_log() {
    use std::sync::atomic::Ordering;
    let rig = Rig::new();
    let mut guest = Guest::on_event(
        "(loop $l
           (call $log_write (i32.const 2) (i32.const 900) (i32.const 5) (i32.const 0) (i32.const 0))
           (global.set $n (i32.add (global.get $n) (i32.const 1)))
           (br_if $l (i32.lt_u (global.get $n) (i32.const 1000))))",
    );
    guest.more = "(global $n (mut i32) (i32.const 0))".into();
    guest.put(900, b"flood");
    let plugin = rig.load(&guest).await;
    for _ in 0..3 {
        assert_eq!(
            deliver(&plugin).await.log.len(),
            1_000,
            "its report has all lines"
        );
    }
    let generation = plugin.slot.current.load_full();
    let left_out = || generation.shared.log.left_out();
    assert_eq!(left_out(), 3_000 - u64::from(LOG_LINES_PER_MIN));
    rig.services.now_ms.fetch_add(60_000, Ordering::Relaxed);
    let _ = deliver(&plugin).await;
    assert_eq!(
        left_out(),
        0,
        "a minute later it may log again, and the count is logged"
    );
}
