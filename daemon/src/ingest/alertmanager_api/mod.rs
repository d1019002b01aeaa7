//! Alertmanager's API v2, so that Prometheus can name the daemon as its Alertmanager and `amtool`
//! works on it: what is posted, what is shown, and what a query asks for.
//!
//! Source: `api/v2/openapi.yaml` of Alertmanager. An error there is a JSON string, not a problem
//! document; [`error_body`] makes it. Alertmanager keeps the good alerts of a batch and answers
//! 400 when any was bad; [`refusal`] words that answer.

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

/// Refused alerts that are named in one answer.
const REFUSED_NAMED_MAX: usize = 10;

/// The message for a batch of which some alerts were refused; none when all were good.
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
