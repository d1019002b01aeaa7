//! Guests that spin, allocate and trap.

use super::rig::{Rig, deliver, delivery, event, page, report, signed, tick};
use crate::call::STORE_ITEMS_MAX;
use crate::guests::{Guest, SPIN, TRAP, encode, world};
use crate::rights::MEMORY_BYTES;
use crate::wit::Outcome;
use crate::{Failure, LoadError};
use std::time::{Duration, Instant};

/// Generous, for busy machines; what matters is that the guest is stopped.
const STOPPED_WITHIN: Duration = Duration::from_secs(4);

/// Checks that the report's one line has the plugin, the export and the remedy.
fn names_its_remedy<T: std::fmt::Debug>(result: &crate::CallResult<T>, remedy: &str) {
    let line = report(result).to_string();
    assert!(line.starts_with("plugin `probe` 0.1.0, in on-"), "{line}");
    assert!(line.contains(remedy), "{line}");
}

fn each_export(body: &str) -> Guest {
    Guest {
        on_event: body.into(),
        on_webhook: body.into(),
        on_schedule: body.into(),
        health: body.into(),
        ..Guest::default()
    }
}

#[tokio::test]
async fn a_guest_that_spins_in_any_export_is_stopped_at_its_cpu_budget() {
    let rig = Rig::new();
    let plugin = rig.load(&each_export(SPIN)).await;
    let started = Instant::now();
    let mut reports = Vec::new();
    reports.push(report(&deliver(&plugin).await).clone());
    reports.push(report(&tick(&plugin).await).clone());
    reports.push(report(&plugin.webhook(signed("a")).await).clone());
    reports.push(report(&plugin.health().await).clone());
    assert!(
        started.elapsed() < STOPPED_WITHIN * 4,
        "{:?}",
        started.elapsed()
    );
    let exports: Vec<_> = reports
        .iter()
        .map(|report| report.export.as_str())
        .collect();
    assert_eq!(exports, ["on-event", "on-schedule", "on-webhook", "health"]);
    for report in reports {
        assert_eq!(report.limit, Some("cpu-ms"), "{report}");
        assert!(report.cause.contains("100 ms of CPU"), "{report}");
        assert!(report.remedy.contains("[limits] cpu-ms"), "{report}");
    }
}

#[tokio::test]
async fn a_guest_that_spins_in_describe_or_check_config_does_not_load() {
    for (export, guest) in [
        (
            "describe",
            Guest {
                describe: SPIN.into(),
                ..Guest::default()
            },
        ),
        (
            "check-config",
            Guest {
                check_config: SPIN.into(),
                ..Guest::default()
            },
        ),
    ] {
        let rig = Rig::new();
        let error = rig.try_load(&guest).await.unwrap_err();
        let LoadError::Call(Failure::LimitReached { report }) = error else {
            panic!("{error}")
        };
        assert_eq!(report.export, export);
    }
}

#[tokio::test]
async fn a_guest_that_spins_does_not_block_the_callers_runtime() {
    let rig = Rig::new();
    let plugin = rig.load(&each_export(SPIN)).await;
    // This test's runtime has one thread: the ticks below only happen if it stays free.
    let calls = futures_util::future::join_all((0..4).map(|_| deliver(&plugin)));
    let mut ticks = 0;
    tokio::pin!(calls);
    loop {
        tokio::select! {
            results = &mut calls => {
                assert!(results.iter().all(|result| result.outcome.is_err()));
                break;
            }
            () = tokio::time::sleep(Duration::from_millis(5)) => ticks += 1,
        }
    }
    assert!(ticks >= 5, "{ticks}");
}

#[tokio::test]
async fn a_guest_that_waits_forever_is_stopped_at_its_wall_clock_limit() {
    let mut rig = Rig::new();
    rig.manifest = rig
        .manifest
        .replace("wall-ms = 5000", "wall-ms = 200")
        .replace("100", "10000");
    rig.grant
        .push_str("\nlimits = { cpu-ms = 10000, wall-ms = 200 }");
    let plugin = rig.load(&each_export(SPIN)).await;
    let result = deliver(&plugin).await;
    assert_eq!(report(&result).limit, Some("wall-ms"));
    names_its_remedy(&result, "raise [limits] wall-ms");
    assert!(Duration::from_micros(result.stats.wall_us) < STOPPED_WITHIN);
}

/// Deletes the key whose name is at 900.
const DELETE: &str = "(call $kv_delete (i32.const 900) (i32.const LEN) (i32.const 1536))";

fn deletes(key: &str) -> Guest {
    let body = format!(
        "{} (i32.const 512)",
        DELETE.replace("LEN", &key.len().to_string())
    );
    let mut guest = Guest {
        on_schedule: body,
        ..Guest::default()
    };
    guest.put(900, key.as_bytes());
    guest
}

#[tokio::test]
async fn a_host_call_that_never_ends_is_aborted_at_the_wall_clock_limit() {
    let mut rig = Rig::new();
    rig.manifest = rig.manifest.replace("wall-ms = 5000", "wall-ms = 200");
    let plugin = rig.load(&deletes("hang")).await;
    let result = tick(&plugin).await;
    assert_eq!(report(&result).limit, Some("wall-ms"));
    assert!(
        result.stats.cpu_us < 100_000,
        "waiting is not charged: {:?}",
        result.stats
    );
}

#[tokio::test]
async fn a_panic_in_the_daemon_is_not_a_fault_of_the_plugin() {
    let rig = Rig::new();
    let plugin = rig.load(&deletes("panic")).await;
    for _ in 0..2 * crate::call::FAULTS_MAX {
        let result = tick(&plugin).await;
        assert!(
            matches!(result.outcome, Err(Failure::Unavailable { .. })),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn a_call_whose_caller_goes_away_keeps_its_slot_until_it_ends() {
    let mut rig = Rig::new();
    rig.manifest = rig.manifest.replace("wall-ms = 5000", "wall-ms = 400");
    let plugin = rig.load(&deletes("hang")).await;
    let impatient = (0..crate::call::CALLS_PER_LANE)
        .map(|_| tokio::time::timeout(Duration::from_millis(20), tick(&plugin)));
    for gone in futures_util::future::join_all(impatient).await {
        assert!(gone.is_err());
    }
    // The lane is full until one of those calls reaches its wall-clock limit.
    assert_eq!(deliver(&plugin).await.outcome, Ok(Outcome::Done));
    assert_eq!(plugin.inspect().last_fault.unwrap().limit, Some("wall-ms"));
}

#[tokio::test]
async fn a_page_does_not_wait_behind_background_work() {
    let mut rig = Rig::new();
    rig.manifest = rig.manifest.replace("wall-ms = 5000", "wall-ms = 2000");
    let plugin = rig.load(&deletes("hang")).await;
    let done = std::cell::Cell::new(0);
    let chores = futures_util::future::join_all((0..crate::call::CALLS_PER_LANE).map(|_| async {
        let background = tick(&plugin).await;
        done.set(done.get() + 1);
        background
    }));
    let page = async {
        let event = crate::wit::Event {
            body: page(),
            ..event("p")
        };
        let result = plugin.deliver(event, delivery()).await;
        assert_eq!(
            done.get(),
            0,
            "the page was done before the first background"
        );
        result.outcome
    };
    let (chores, page) = futures_util::future::join(chores, page).await;
    assert_eq!(page, Ok(Outcome::Done));
    assert!(
        chores
            .iter()
            .all(|background| report(background).limit == Some("wall-ms"))
    );
}

/// Grows its memory page by page until that fails, then traps.
const MEMORY_BOMB: &str = "(loop $l
    (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
    (br $l))";

#[tokio::test]
async fn a_memory_bomb_is_refused_memory_and_the_report_says_how_much() {
    let rig = Rig::new();
    let plugin = rig.load(&Guest::on_event(MEMORY_BOMB)).await;
    let result = deliver(&plugin).await;
    assert_eq!(
        report(&result).limit,
        Some("memory-bytes"),
        "{}",
        report(&result)
    );
    names_its_remedy(&result, "raise [limits] memory-bytes");
    assert!(
        result.stats.memory_bytes <= MEMORY_BYTES,
        "{:?}",
        result.stats
    );
    assert!(
        result.stats.memory_bytes > MEMORY_BYTES / 2,
        "{:?}",
        result.stats
    );
}

#[tokio::test]
async fn a_manifest_that_asks_for_less_memory_gets_less() {
    let mut rig = Rig::new();
    rig.manifest.push_str("memory-bytes = 1048576\n");
    let plugin = rig.load(&Guest::on_event(MEMORY_BOMB)).await;
    let result = deliver(&plugin).await;
    assert_eq!(report(&result).limit, Some("memory-bytes"));
    assert!(result.stats.memory_bytes <= 1 << 20, "{:?}", result.stats);
}

#[tokio::test]
async fn a_guest_with_too_much_initial_memory_does_not_load() {
    let rig = Rig::new();
    let guest = Guest {
        pages: 1024,
        ..Guest::default()
    };
    let error = rig.try_load(&guest).await.unwrap_err();
    let LoadError::Call(Failure::LimitReached { report }) = error else {
        panic!("{error}")
    };
    assert_eq!(report.limit, Some("memory-bytes"));
}

#[tokio::test]
async fn a_table_bomb_is_refused_its_table() {
    let rig = Rig::new();
    let mut guest = Guest::on_event(
        "(if (i32.eq (table.grow $t (ref.null func) (i32.const 100000)) (i32.const -1))
           (then unreachable))",
    );
    guest.more = "(table $t 1 funcref)".into();
    let plugin = rig.load(&guest).await;
    let result = deliver(&plugin).await;
    assert_eq!(report(&result).limit, Some("table-elements"));
    names_its_remedy(&result, "find out why its tables grow");
}

#[tokio::test]
async fn unbounded_recursion_overflows_only_the_guests_stack() {
    let rig = Rig::new();
    let mut guest = Guest::on_event("(drop (call $deep (i32.const 0)))");
    guest.more = "(func $deep (param i32) (result i32)
        (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))"
        .into();
    let plugin = rig.load(&guest).await;
    let result = deliver(&plugin).await;
    assert_eq!(report(&result).limit, Some("stack"), "{}", report(&result));
    names_its_remedy(&result, "unbounded recursion");
}

#[tokio::test]
async fn a_trap_names_its_export_and_the_next_call_has_a_new_instance() {
    let rig = Rig::new();
    let guest = Guest {
        on_schedule: TRAP.into(),
        ..Guest::default()
    };
    let plugin = rig.load(&guest).await;
    let result = tick(&plugin).await;
    assert_eq!(report(&result).export, "on-schedule");
    assert!(
        report(&result)
            .to_string()
            .contains("plugin `probe` 0.1.0, in on-schedule")
    );
    assert!(!report(&result).backtrace.is_empty());
    names_its_remedy(&result, "see the last lines of its log");
    assert_eq!(deliver(&plugin).await.outcome, Ok(Outcome::Done));
}

#[tokio::test]
async fn a_component_whose_every_export_traps_does_not_load() {
    let (resolve, world) = world();
    let mangling = wit_parser::ManglingAndAbi::Standard32;
    let module = wit_component::dummy_module(&resolve, world, mangling);
    let error = Rig::new()
        .try_load_bytes(&encode(module))
        .await
        .unwrap_err();
    let LoadError::Call(Failure::Trapped { report }) = error else {
        panic!("{error}")
    };
    assert_eq!(report.export, "describe");
}

#[tokio::test]
async fn text_that_is_not_utf_8_traps_the_guest() {
    let rig = Rig::new();
    let mut guest = Guest::on_event(
        "(call $log_write (i32.const 2) (i32.const 900) (i32.const 4) (i32.const 0) (i32.const 0))",
    );
    guest.put(900, &[0xff, 0xfe, 0x41, 0xc3]);
    let plugin = rig.load(&guest).await;
    let result = deliver(&plugin).await;
    assert!(
        report(&result).cause.contains("utf-8"),
        "{}",
        report(&result)
    );
}

#[tokio::test]
async fn a_guest_that_spins_in_host_calls_is_stopped_too() {
    let mut rig = Rig::new();
    rig.manifest = rig
        .manifest
        .replace("cpu-ms = 100", "cpu-ms = 10000")
        .replace("wall-ms = 5000", "wall-ms = 60000");
    rig.grant
        .push_str("\nlimits = { cpu-ms = 10000, wall-ms = 60000 }");
    let plugin = rig
        .load(&Guest::on_event(
            "(loop $l (drop (call $clock_now)) (br $l))",
        ))
        .await;
    let result = deliver(&plugin).await;
    let report = report(&result);
    assert_eq!(report.limit, Some("host-calls"), "{report}");
    assert!(report.cause.contains("100000 times"), "{report}");
    assert!(report.remedy.contains("cache what the host"), "{report}");
}

#[tokio::test]
async fn a_guest_with_more_tables_than_a_store_holds_does_not_load() {
    let rig = Rig::new();
    let tables: String = (0..=STORE_ITEMS_MAX)
        .map(|n| format!("(table $t{n} 1 funcref)\n"))
        .collect();
    let guest = Guest {
        more: tables,
        ..Guest::default()
    };
    let error = rig.try_load(&guest).await.unwrap_err();
    let LoadError::Call(Failure::LimitReached { report }) = error else {
        panic!("{error}")
    };
    assert_eq!(report.limit, Some("store-items"), "{report}");
    assert!(report.cause.contains(&STORE_ITEMS_MAX.to_string()));
    assert!(report.remedy.contains("fewer modules"), "{report}");
}

#[tokio::test]
async fn a_pointer_out_of_bounds_traps_the_guest() {
    let rig = Rig::new();
    let guest = Guest::on_event(
        "(call $log_write
           (i32.const 2) (i32.const -16) (i32.const 100) (i32.const 0) (i32.const 0))",
    );
    let plugin = rig.load(&guest).await;
    assert_eq!(report(&deliver(&plugin).await).limit, None);
}

#[tokio::test]
async fn five_faults_quarantine_a_plugin_and_a_probe_ends_it() {
    use std::sync::atomic::Ordering;
    let rig = Rig::new();
    let guest = Guest {
        on_schedule: TRAP.into(),
        ..Guest::default()
    };
    let plugin = rig.load(&guest).await;
    for _ in 0..crate::call::FAULTS_MAX {
        assert!(matches!(
            tick(&plugin).await.outcome,
            Err(Failure::Trapped { .. })
        ));
    }
    let closed = deliver(&plugin).await;
    assert!(
        matches!(closed.outcome, Err(Failure::Quarantined { .. })),
        "{:?}",
        closed.outcome
    );
    assert!(matches!(
        plugin.inspect().state,
        crate::PluginState::Quarantined { .. }
    ));
    assert_eq!(plugin.inspect().last_fault.unwrap().export, "on-schedule");
    rig.services
        .now_ms
        .fetch_add(crate::call::BACKOFF_MS_MIN, Ordering::Relaxed);
    assert_eq!(deliver(&plugin).await.outcome, Ok(Outcome::Done));
    assert_eq!(plugin.inspect().state, crate::PluginState::Active);
}
