//! What the page shows of an incident's state.

use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Incident, Status};

pub(crate) const RESOLVED: &str = "resolved";

/// The status on the page. Of a security incident it does not tell whether the cause is known.
pub(crate) fn status(incident: &Incident) -> &'static str {
    match incident.status {
        Status::Open if !incident.security && is_cause_confirmed(incident) => "identified",
        Status::Open => "investigating",
        Status::Mitigated => "monitoring",
        Status::Resolved | Status::Closed => RESOLVED,
    }
}

/// The impact on the page; that of a security incident is not told.
pub(crate) fn impact(incident: &Incident) -> Option<&'static str> {
    (!incident.security).then(|| incident.grade.as_str())
}

/// Whether a status of the page says that it is over.
pub(crate) fn is_over(status: &str) -> bool {
    [RESOLVED, "completed", "postmortem"].contains(&status)
}

/// Whether two statuses of the page are the same to a reader who gets no text with them: that the
/// cause is known is said with the next update.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let is_open = |it: &str| ["investigating", "identified"].contains(&it);
    one == other || (is_open(one) && is_open(other)) || (is_over(one) && is_over(other))
}

/// The number of the incident that it was merged into.
pub(crate) fn merged_into(incident: &Incident) -> Option<u64> {
    extra(incident)["merged-into"].as_u64()
}

fn is_cause_confirmed(incident: &Incident) -> bool {
    let extra = extra(incident);
    let newest = extra["changes"]["newest"].as_array();
    let mut newest = newest.into_iter().flatten();
    newest.any(|it| it["status"] == "confirmed")
}

fn extra(incident: &Incident) -> Value {
    serde_json::from_str(&incident.extra).unwrap_or_default()
}
