//! A panic inside a component is only a trap to the host: without this hook its text is lost.

use crate::log;
use std::panic;
use std::sync::Once;

/// Makes panics write their message and place through `log` before the trap.
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
