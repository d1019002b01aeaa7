//! The formats of Alertmanager's API v2, so that Prometheus can use the daemon as its Alertmanager
//! and `amtool` works with it.
//!
//! Source: `api/v2/openapi.yaml` of Alertmanager. Its errors are JSON strings, not problem
//! details; see [`error_body`]. Alertmanager accepts the good alerts of a batch and answers 400 if
//! any was bad; see [`refusal`].

mod post;
mod query;
mod view;

pub use post::parse;
pub use query::{AlertQuery, GroupQuery, QueryError};
pub use view::{
    AlertGroup, AlertRecord, AlertState, AlertStatus, ClusterStatus, ConfigText, GettableAlert,
    PeerStatus, Receiver, StatusView, VersionInfo,
};

use super::Parsed;

/// The body of an error: the message as a JSON string.
#[must_use]
pub fn error_body(message: &str) -> String {
    serde_json::Value::from(message).to_string()
}

/// Most refused alerts that a response lists.
const REFUSED_NAMED_MAX: usize = 10;

/// The message for a batch with refused alerts; `None` if there are none.
#[must_use]
pub fn refusal(parsed: &Parsed) -> Option<String> {
    if parsed.rejected.is_empty() {
        return None;
    }
    let named: Vec<_> = parsed
        .rejected
        .iter()
        .take(REFUSED_NAMED_MAX)
        .map(|rejected| format!("{}: {}", rejected.pointer, rejected.message))
        .collect();
    let rest = parsed.rejected.len() - named.len();
    let more = if rest > 0 {
        format!("; and {rest} more")
    } else {
        String::new()
    };
    Some(named.join("; ") + &more)
}
