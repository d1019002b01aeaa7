//! The health checks: pure functions of the vitals.

use tocsin_core::time::{MINUTE_MS, SECOND_MS, in_words};
use tocsin_plugin_host::PluginState;
use tocsin_store::{FREE_BYTES_LOW, FREE_BYTES_MIN};

use super::heartbeat::BeatState;
use super::relay::RelayState;
use super::vitals::{PluginVitals, Vitals};
use super::{Check, Level};

/// A page undelivered after this long, in milliseconds, is a warning: its first contact is slow.
pub const PAGE_MS_WARN: u64 = MINUTE_MS;
/// A page undelivered after this long, in milliseconds, is bad.
pub const PAGE_MS_BAD: u64 = 5 * MINUTE_MS;
/// The 99th percentile of commit times at which senders notice a delay, in milliseconds.
pub const COMMIT_MS_WARN: u64 = SECOND_MS;
/// The 99th percentile of commit times at which senders give up, in milliseconds.
pub const COMMIT_MS_BAD: u64 = 5 * SECOND_MS;
/// Fewest commits for which the 99th percentile is checked; with fewer, the median is.
pub const COMMITS_JUDGED_MIN: usize = 50;
/// Free bytes of the disk below which somebody should free up space.
pub const DISK_BYTES_WARN: u64 = 1024 * 1024 * 1024;
/// Free bytes of the disk below which the store may soon stop.
pub const DISK_BYTES_BAD: u64 = FREE_BYTES_LOW;
/// How late a sweep may be, in milliseconds, before it counts as stuck.
pub const SWEEP_LATE_MS_BAD: u64 = MINUTE_MS;
/// Most warnings about who is on call that are told.
const WARNINGS_TOLD: usize = 5;

/// Checks the vitals; the worst results come first.
#[must_use]
pub fn checks(vitals: &Vitals) -> Vec<Check> {
    let mut checks = vec![
        store(vitals),
        disk(vitals),
        queue(vitals),
        timers(vitals),
        pages(vitals),
        sweeps(vitals),
        senders(vitals),
        policies(vitals),
        contacts(vitals),
        on_call(vitals),
        check_waking(&vitals.waking_warnings),
        calendars(vitals),
        silences(vitals),
        relay(vitals),
        dead_letters(vitals),
        heartbeat(vitals.heartbeat.as_ref()),
    ];
    checks.extend(vitals.plugins.iter().map(plugin));
    checks.sort_by_key(|check| std::cmp::Reverse(check.level));
    checks
}

fn store(vitals: &Vitals) -> Check {
    let commits = &vitals.commits;
    let size = bytes(vitals.store_bytes);
    let times = match commits.count {
        0 => format!("{size}, nothing written recently"),
        count => format!(
            "{size}; median of the newest {count} commits {} ms, 99th percentile {} ms",
            commits.p50_ms, commits.p99_ms
        ),
    };
    // With few commits, the 99th percentile is just the slowest one.
    let usual_ms = match commits.count {
        0..COMMITS_JUDGED_MIN => commits.p50_ms,
        _ => commits.p99_ms,
    };
    let slowest_ms = usual_ms.max(commits.under_way_ms);
    let times = match commits.under_way_ms {
        COMMIT_MS_WARN.. => format!(
            "a commit has been running for {}; {times}",
            in_words(commits.under_way_ms)
        ),
        _ => times,
    };
    let slow = "check the disk: another program may keep it busy, or it may be failing";
    match &vitals.store_failure {
        Some(why) => Check::wrong(
            "store",
            Level::Bad,
            format!("failed: {why}"),
            "free up space or repair the disk, then restart the daemon; accepted data is kept",
        ),
        None if slowest_ms >= COMMIT_MS_BAD => Check::wrong("store", Level::Bad, times, slow),
        None if slowest_ms >= COMMIT_MS_WARN => Check::wrong("store", Level::Warn, times, slow),
        None => Check::ok("store", times),
    }
}

fn disk(vitals: &Vitals) -> Check {
    match vitals.disk_free_bytes {
        Some(free) => check_disk(free),
        None => Check::wrong(
            "disk",
            Level::Warn,
            "the free space under [store] path is unknown",
            "check that the folder can be read",
        ),
    }
}

/// Checks the free bytes of the store's disk.
#[must_use]
pub fn check_disk(free: u64) -> Check {
    let says = format!("{} free", bytes(free));
    let stop = bytes(FREE_BYTES_MIN);
    let remedy =
        format!("free up space on the disk of [store] path: below {stop} the daemon stops");
    match free {
        0..DISK_BYTES_BAD => Check::wrong("disk", Level::Bad, says, remedy),
        DISK_BYTES_BAD..DISK_BYTES_WARN => Check::wrong("disk", Level::Warn, says, remedy),
        _ => Check::ok("disk", says),
    }
}

fn queue(vitals: &Vitals) -> Check {
    let (queued, most) = vitals.queued;
    let says = format!("{queued} of at most {most} requests are waiting to be written");
    match queued.saturating_mul(2) > most {
        true => Check::wrong(
            "queue",
            Level::Warn,
            says,
            "at the limit senders get 503; check the commit times of `store`",
        ),
        false => Check::ok("queue", says),
    }
}

fn timers(vitals: &Vitals) -> Check {
    match vitals.timers_overdue {
        0 => Check::ok("timers", "none is overdue"),
        count => Check::wrong(
            "timers",
            Level::Bad,
            format!(
                "{count} overdue, the oldest by {}",
                in_words(vitals.timer_late_ms)
            ),
            "escalations are stuck, and the log says why; restart the daemon, which then fires all \
             due timers",
        ),
    }
}

fn pages(vitals: &Vitals) -> Check {
    if !vitals.pages_exhausted.is_empty() {
        let numbers: Vec<_> = vitals.pages_exhausted.iter().take(5).collect();
        let numbers: Vec<_> = numbers.iter().map(|it| format!("#{it}")).collect();
        return Check::wrong(
            "pages",
            Level::Bad,
            format!(
                "{} unacknowledged incidents have a page that every channel refused: {}",
                vitals.pages_exhausted.len(),
                numbers.join(", ")
            ),
            "call somebody, then see each channel's answer with `tocsin incident show`",
        );
    }
    let says = match vitals.pages_waiting {
        0 => return Check::ok("pages", "none is waiting"),
        count => format!(
            "{count} not yet delivered by any channel, the oldest waiting for {}",
            in_words(vitals.page_wait_ms)
        ),
    };
    let remedy = "the checks below say which plugin or relay fails; `tocsin incident show` shows \
                  each channel's answer";
    match vitals.page_wait_ms {
        PAGE_MS_BAD.. => Check::wrong("pages", Level::Bad, says, remedy),
        PAGE_MS_WARN.. => Check::wrong("pages", Level::Warn, says, remedy),
        _ => Check::ok("pages", says),
    }
}

fn sweeps(vitals: &Vitals) -> Check {
    match vitals.sweep_late_ms {
        late @ SWEEP_LATE_MS_BAD.. => Check::wrong(
            "sweeps",
            Level::Bad,
            format!(
                "late by {}: alerts of senders that stopped sending do not resolve",
                in_words(late)
            ),
            "the log says why; restart the daemon",
        ),
        _ => Check::ok("sweeps", "on time"),
    }
}

fn senders(vitals: &Vitals) -> Check {
    match &vitals.expected {
        (0, _) => Check::ok("senders", "none is expected to be heard of all the time"),
        (count, silent) if silent.is_empty() => {
            Check::ok("senders", format!("heard of all {count} that are expected"))
        }
        (_, silent) => Check::wrong(
            "senders",
            Level::Warn,
            silent.join("; "),
            "check that they run, and that their alerts reach this daemon",
        ),
    }
}

fn policies(vitals: &Vitals) -> Check {
    let remedy = "fix the policies, and run `tocsin policy check`; the daemon reloads them \
                automatically";
    match (
        &vitals.policy_hash,
        &vitals.policy_faults,
        &vitals.policy_failures,
    ) {
        (None, faults, _) => Check::wrong(
            "policies",
            Level::Warn,
            format!(
                "none loaded, so built-in verdicts page the fallback: {}",
                faults.as_deref().unwrap_or("nothing was loaded")
            ),
            remedy,
        ),
        (Some(_), Some(faults), _) => Check::wrong(
            "policies",
            Level::Warn,
            format!("the folder has errors, so the last good ones are in force: {faults}"),
            remedy,
        ),
        (Some(_), None, (failures @ 1.., last)) => Check::wrong(
            "policies",
            Level::Warn,
            format!(
                "{failures} calls failed in the last hour; the last: {}",
                last.as_deref().unwrap_or_default()
            ),
            remedy,
        ),
        (Some(hash), None, _) => {
            let hash: String = hash.chars().take(12).collect();
            Check::ok("policies", format!("{hash} in force"))
        }
    }
}

fn contacts(vitals: &Vitals) -> Check {
    let unserved = vitals.unserved.join(", ");
    let remedy = "load the plugin that serves it, or give these people another contact";
    match (vitals.unreached.is_empty(), vitals.unserved.is_empty()) {
        (true, true) => Check::ok("contacts", "every kind is served"),
        (true, false) => Check::wrong(
            "contacts",
            Level::Warn,
            format!("nothing serves {unserved}: pages skip these contacts"),
            remedy,
        ),
        (false, _) => Check::wrong(
            "contacts",
            Level::Bad,
            format!(
                "no page reaches {}: nothing serves {unserved}",
                vitals.unreached.join(", ")
            ),
            remedy,
        ),
    }
}

fn on_call(vitals: &Vitals) -> Check {
    match vitals.uncovered.is_empty() {
        true => check_warnings(&vitals.on_call_warnings),
        false => Check::wrong(
            "on-call",
            Level::Warn,
            format!("nobody is on call in {}", vitals.uncovered.join(", ")),
            "pages for them go to [escalation] fallback; add a layer or an override",
        ),
    }
}

/// Checks what goes wrong with who is on call in the next 14 days.
#[must_use]
pub fn check_warnings(warnings: &[(String, String)]) -> Check {
    let fine = "every rotation reaches somebody in the next 14 days";
    warned("on-call", fine, warnings)
}

/// Checks what keeps pages from waking whoever is on call in the next 14 days.
#[must_use]
pub fn check_waking(warnings: &[(String, String)]) -> Check {
    let fine = "whoever is on call in the next 14 days has a loud contact that is proven";
    warned("waking", fine, warnings)
}

/// Warnings with their remedies, in a few lines, with the remedy of the first.
fn warned(name: &str, fine: &str, warnings: &[(String, String)]) -> Check {
    let Some((_, remedy)) = warnings.first() else {
        return Check::ok(name, fine);
    };
    let told = warnings.iter().take(WARNINGS_TOLD);
    let told: Vec<&str> = told.map(|(says, _)| says.as_str()).collect();
    let mut says = told.join("\n");
    if let more @ 1.. = warnings.len().saturating_sub(WARNINGS_TOLD) {
        says.push_str(&format!("\nand {more} more"));
    }
    Check::wrong(name, Level::Warn, says, remedy.as_str())
}

fn calendars(vitals: &Vitals) -> Check {
    let faults = &vitals.calendar_faults;
    let Some((person, why)) = faults.first() else {
        return Check::ok("calendars", "every calendar can be read");
    };
    let more = match faults.len() {
        1 => String::new(),
        count => format!(", and {} more", count - 1),
    };
    Check::wrong(
        "calendars",
        Level::Warn,
        format!("the calendar of {person} cannot be read: {why}{more}"),
        "correct `calendar` of these people; until then what was read before counts",
    )
}

fn silences(vitals: &Vitals) -> Check {
    let dangers = &vitals.dangerous_silences;
    match dangers.first() {
        None => Check::ok("silences", "none is very long or hides nearly everything"),
        Some(first) => Check::wrong(
            "silences",
            Level::Warn,
            match dangers.len() {
                1 => first.clone(),
                count => format!("{count} hide too much; the first: {first}"),
            },
            "end it with `tocsin silence expire ID`, and set one that is shorter or matches less",
        ),
    }
}

/// Never bad: pages that a failed relay delays are covered by the check `pages`.
fn relay(vitals: &Vitals) -> Check {
    match &vitals.relay {
        Some(RelayState::Unknown) => Check::ok("relay", "not checked yet"),
        Some(RelayState::Reached) => Check::ok("relay", "it answers"),
        Some(RelayState::Failed(why)) => Check::wrong(
            "relay",
            Level::Warn,
            why.as_str(),
            "start the relay or correct [mail]; until then no page is sent by mail",
        ),
        None => Check::wrong(
            "relay",
            Level::Warn,
            "none is configured: a page that no plugin delivers is lost",
            "add [mail] with an SMTP relay",
        ),
    }
}

fn dead_letters(vitals: &Vitals) -> Check {
    match &vitals.dead_letters {
        (0, _) => Check::ok("dead-letters", "none in the last day"),
        (count, newest) => Check::wrong(
            "dead-letters",
            Level::Warn,
            format!(
                "{count} deliveries given up in the last day; the newest: {}",
                newest.as_deref().unwrap_or("no reason was stored")
            ),
            "fix the cause; deliveries that were given up are not retried",
        ),
    }
}

fn heartbeat(state: Option<&BeatState>) -> Check {
    match state {
        None => Check::wrong(
            "heartbeat",
            Level::Warn,
            "none is configured: if this machine fails, nobody is alerted",
            "add [heartbeat] with url = { env = \"NAME\" }, the variable with the URL of a service \
             that alerts you when heartbeats stop",
        ),
        Some(BeatState {
            last_error: Some(why),
            ..
        }) => Check::wrong(
            "heartbeat",
            Level::Warn,
            format!("the last one did not arrive: {why}"),
            "check that [heartbeat] url is right and can be reached from here",
        ),
        Some(BeatState { sent: 0, .. }) => Check::ok("heartbeat", "none sent yet"),
        Some(state) => Check::ok("heartbeat", format!("{} sent", state.sent)),
    }
}

fn plugin(plugin: &PluginVitals) -> Check {
    let id = &plugin.id;
    let name = format!("plugin {id}");
    match (&plugin.state, &plugin.last_fault) {
        (Err(why), _) => Check::wrong(
            name,
            Level::Warn,
            format!("not loaded: {why}"),
            "fix it and restart the daemon",
        ),
        (Ok(PluginState::Quarantined { .. }), fault) => Check::wrong(
            name,
            Level::Warn,
            format!(
                "quarantined after too many faults; the last: {}",
                fault.as_deref().unwrap_or("unknown")
            ),
            "it is retried automatically; fix or replace it",
        ),
        (Ok(PluginState::Misconfigured { reason }), _) => Check::wrong(
            name,
            Level::Warn,
            format!("reports that it is misconfigured: {reason}"),
            format!("fix [plugins.{id}] or what it refers to, and restart the daemon"),
        ),
        (Ok(PluginState::Active), Some(fault)) => {
            Check::ok(name, format!("active; its last fault: {fault}"))
        }
        (Ok(PluginState::Active), None) => Check::ok(name, "active"),
    }
}

fn bytes(count: u64) -> String {
    const KIB: u64 = 1024;
    match count {
        0..KIB => format!("{count} bytes"),
        KIB..0x10_0000 => format!("{} KiB", count / KIB),
        0x10_0000..0x4000_0000 => format!("{} MiB", count / (KIB * KIB)),
        _ => format!("{} GiB", count / (KIB * KIB * KIB)),
    }
}
