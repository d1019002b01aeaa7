//! Turns a failed call into a report that the plugin's author can act on.

use super::memory::{Refused, STORE_ITEMS_MAX, TABLE_ELEMENTS_MAX};
use super::result::{Failure, TrapReport};
use super::state::{CallState, HOST_CALLS_MAX, HOSTCALL_BYTES_MAX, Stop};
use crate::text::{clean, cut};
use wasmtime::{Trap, WasmBacktrace};

/// Largest stack of the guest, in bytes.
pub(crate) const STACK_BYTES_MAX: usize = 512 << 10;
/// Most backtrace frames in a report.
const FRAMES_MAX: usize = 16;
/// Log lines of the guest in a report.
const LAST_LINES: usize = 20;
/// Longest cause, in bytes.
const CAUSE_BYTES_MAX: usize = 1 << 10;

/// Why the guest stopped.
struct Diagnosis {
    cause: String,
    remedy: String,
    limit: Option<&'static str>,
    is_limit: bool,
}

/// Reports a call that timed out outside the guest.
pub(crate) fn timed_out(state: &CallState, version: &str) -> Failure {
    failure(state, version, wall(state), Vec::new())
}

/// Reports a call that ended with an engine error.
pub(crate) fn trapped(state: &CallState, version: &str, error: &wasmtime::Error) -> Failure {
    let backtrace = error
        .downcast_ref::<WasmBacktrace>()
        .map(frames)
        .unwrap_or_default();
    failure(state, version, diagnose(state, error), backtrace)
}

fn diagnose(state: &CallState, error: &wasmtime::Error) -> Diagnosis {
    let limits = state.context.shared.rights.limits();
    match state.stop {
        Some(Stop::Cpu) => limit(
            "cpu-ms",
            format!("it used more than {} ms of CPU time", limits.cpu_ms),
            "do less per call (jobs.enqueue the rest), or raise [limits] cpu-ms in plugin.toml \
             and in the grant",
        ),
        Some(Stop::Wall) => wall(state),
        Some(Stop::HostCalls) => limit(
            "host-calls",
            format!("it called the host more than {HOST_CALLS_MAX} times"),
            "this limit is fixed; cache what the host returned, and jobs.enqueue the rest",
        ),
        Some(Stop::Replaced) => Diagnosis {
            cause: "it was still running when its generation was replaced".into(),
            remedy: "nothing to do; the delivery is retried on the new one".into(),
            limit: None,
            is_limit: true,
        },
        None => diagnose_trap(state, error),
    }
}

fn diagnose_trap(state: &CallState, error: &wasmtime::Error) -> Diagnosis {
    match state.memory.refused() {
        Some(Refused::Memory(bytes)) => {
            return limit(
                "memory-bytes",
                format!(
                    "it requested {bytes} bytes of memory and is limited to {}",
                    state.context.shared.rights.limits().memory_bytes
                ),
                "use less at a time, or raise [limits] memory-bytes in plugin.toml and in the \
                 grant",
            );
        }
        Some(Refused::Table(elements)) => {
            return limit(
                "table-elements",
                format!("it requested {elements} table elements, over {TABLE_ELEMENTS_MAX}"),
                "this limit is fixed; find out why its tables grow",
            );
        }
        None => {}
    }
    let trap = error.downcast_ref::<Trap>();
    let text = error.root_cause().to_string();
    if trap == Some(&Trap::StackOverflow) {
        return limit(
            "stack",
            format!("its stack exceeded {STACK_BYTES_MAX} bytes"),
            "look for unbounded recursion",
        );
    }
    if text.contains("resource limit exceeded") {
        return limit(
            "store-items",
            format!(
                "it holds more than {STORE_ITEMS_MAX} core instances, memories or tables ({text})"
            ),
            "this limit is fixed; link it into fewer modules",
        );
    }
    if text.contains("fuel allocated for hostcalls") {
        return limit(
            "hostcall-bytes",
            format!("it passed more than {HOSTCALL_BYTES_MAX} bytes to the host in one call"),
            "pass less at a time",
        );
    }
    let cause = match trap {
        Some(Trap::UnreachableCodeReached) => "it trapped (`unreachable`: a panic or an abort)",
        Some(trap) => return broke(format!("it trapped: {trap}")),
        None => return broke(text),
    };
    broke(cause.into())
}

fn broke(mut cause: String) -> Diagnosis {
    cause = clean(&cause);
    cut(&mut cause, CAUSE_BYTES_MAX);
    Diagnosis {
        cause,
        remedy: "see the last lines of its log".into(),
        limit: None,
        is_limit: false,
    }
}

fn wall(state: &CallState) -> Diagnosis {
    let context = &state.context;
    let wall = context.facts.deadline;
    let ms = wall.saturating_duration_since(context.started).as_millis();
    limit(
        "wall-ms",
        format!(
            "it took longer than {ms} ms: it computed for {} ms, and else waited for the host, \
             for other services or to be scheduled",
            context.meter.used().as_millis()
        ),
        "wait less (timeout-ms of a request), jobs.enqueue the rest, or raise [limits] wall-ms or \
         the route's budget-ms in plugin.toml and in the grant",
    )
}

fn limit(name: &'static str, cause: String, remedy: &str) -> Diagnosis {
    Diagnosis {
        cause,
        remedy: remedy.into(),
        limit: Some(name),
        is_limit: true,
    }
}

fn failure(
    state: &CallState,
    version: &str,
    diagnosis: Diagnosis,
    backtrace: Vec<String>,
) -> Failure {
    let context = &state.context;
    let skipped = context.log.len().saturating_sub(LAST_LINES);
    let report = Box::new(TrapReport {
        plugin: context.plugin().to_owned(),
        version: version.to_owned(),
        export: context.facts.export.to_owned(),
        delivery: context.facts.delivery.clone(),
        cause: diagnosis.cause,
        remedy: diagnosis.remedy,
        limit: diagnosis.limit,
        backtrace,
        last_lines: context.log[skipped..]
            .iter()
            .map(|line| line.text.clone())
            .collect(),
    });
    if diagnosis.is_limit {
        Failure::LimitReached { report }
    } else {
        Failure::Trapped { report }
    }
}

fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let name = |frame: &wasmtime::FrameInfo| {
        let symbol = frame
            .symbols()
            .first()
            .and_then(|symbol| symbol.name())
            .map(str::to_owned);
        let function = symbol.or_else(|| frame.func_name().map(str::to_owned));
        let mut name = clean(&function.unwrap_or_else(|| format!("#{}", frame.func_index())));
        cut(&mut name, 256);
        name
    };
    backtrace
        .frames()
        .iter()
        .take(FRAMES_MAX)
        .map(name)
        .collect()
}
