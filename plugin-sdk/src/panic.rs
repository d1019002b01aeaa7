//! A panic hook that logs the message: the host only sees a trap, and the message would be lost.

use crate::log;
use std::panic;
use std::sync::Once;

/// Makes panics log their message and location before the trap.
pub(crate) fn report_through_log() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            let message = info.payload_as_str().unwrap_or("no message");
            log::error(&format!("panicked: {message}"), &[("at", &place)]);
        }));
    });
}
