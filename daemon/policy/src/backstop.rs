//! Stops calls that Rhai's own limits miss: by a wall clock for slow native functions, and by a
//! memory limit. Both vary between machines, so they are set far above what a reasonable policy
//! needs; usually the operations limit applies first.

use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rhai::Dynamic;

use crate::limits::{CHECK_OPERATIONS, GROWTH_BYTES_MAX};

thread_local! {
    // Rhai's progress callback belongs to the engine, which all calls share, and does not get
    // the call; a call runs on one thread, so its bounds are thread-local.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
    static RESIDENT_PAGES: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The termination token of a call that took too long.
pub(crate) const LATE: &str = "late";
/// The termination token of a call that used too much memory.
pub(crate) const LARGE: &str = "large";

/// Smaller than or equal to every page size in use.
const PAGE_BYTES: u64 = 4_096;

/// Runs `call` with a wall-clock limit.
pub(crate) fn within<T>(wall: Duration, call: impl FnOnce() -> T) -> T {
    struct Clear;
    impl Drop for Clear {
        fn drop(&mut self) {
            DEADLINE.set(None);
            RESIDENT_PAGES.set(None);
        }
    }
    let _clear = Clear;
    DEADLINE.set(Instant::now().checked_add(wall));
    RESIDENT_PAGES.set(None);
    call()
}

/// Rhai's progress callback: returning a token stops the call.
pub(crate) fn check(operations: u64) -> Option<Dynamic> {
    if !operations.is_multiple_of(CHECK_OPERATIONS) {
        return None;
    }
    if DEADLINE
        .get()
        .is_some_and(|deadline| deadline <= Instant::now())
    {
        return Some(LATE.into());
    }
    // The first check of a call sets the baseline: most calls end before it and pay nothing.
    // Other threads also grow the process, hence the generous limit.
    let pages = resident_pages()?;
    let Some(before) = RESIDENT_PAGES.get() else {
        RESIDENT_PAGES.set(Some(pages));
        return None;
    };
    let growth_bytes = pages.saturating_sub(before).saturating_mul(PAGE_BYTES);
    (GROWTH_BYTES_MAX < growth_bytes).then(|| LARGE.into())
}

/// Resident pages of this process, from the second field of `/proc/self/statm`, see proc(5); none
/// if there is no such file.
fn resident_pages() -> Option<u64> {
    static STATM: OnceLock<Option<File>> = OnceLock::new();
    let file = STATM
        .get_or_init(|| File::open("/proc/self/statm").ok())
        .as_ref()?;
    let mut bytes = [0; 128];
    let read = file.read_at(&mut bytes, 0).ok()?;
    let text = std::str::from_utf8(bytes.get(..read)?).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}
