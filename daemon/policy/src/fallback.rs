//! The verdicts that stand when no policy can answer. They are plain, wake somebody, and tell
//! nobody outside: a broken policy must cost quiet nights, never a lost alert.

use tocsin_core::limits::{NAME_BYTES_MAX, STEP_TARGETS_MAX};
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{
    Grade, Grading, IncidentKey, IntegrationId, PageTarget, Plan, PolicySource, Route, Step,
    Target, Verdict,
};

use crate::input::cut;
use crate::limits::FALLBACK_BYTES_MAX;
use crate::report::Report;

/// The name of the rotation that is paged when nothing else is known.
pub const DEFAULT_ROTATION: &str = "default";
/// Wait between two pages of [`fallback_plan`], in milliseconds.
pub const FALLBACK_WAIT_MS: u64 = 5 * MINUTE_MS;

/// One incident per integration takes all alerts that no policy could route.
#[must_use]
pub fn catch_all_route(integration: &IntegrationId, why: &Report) -> Verdict<Route> {
    let target = Target {
        key: IncidentKey(cut(&format!("unrouted/{integration}"), NAME_BYTES_MAX)),
        service: cut(integration.as_str(), NAME_BYTES_MAX),
        team: None,
        title: Some(cut(
            &format!("Alerts from {integration} that no policy routed"),
            256,
        )),
    };
    builtin(Route::Incident(target), "the routing policy failed", why)
}

/// Major, and not security.
#[must_use]
pub fn catch_all_grading(why: &Report) -> Verdict<Grading> {
    let grading = Grading {
        grade: Grade::Major,
        security: false,
    };
    builtin(
        grading,
        "the grading policy failed, so it counts as major",
        why,
    )
}

/// Pages all `targets` at once and again until someone acknowledges; whoever is on call in
/// [`DEFAULT_ROTATION`] when there are none. More than
/// [`STEP_TARGETS_MAX`](tocsin_core::limits::STEP_TARGETS_MAX) are cut.
#[must_use]
pub fn fallback_plan(mut targets: Vec<PageTarget>, why: &Report) -> Verdict<Plan> {
    targets.truncate(STEP_TARGETS_MAX);
    if targets.is_empty() {
        targets.push(PageTarget::OnCall(DEFAULT_ROTATION.to_owned()));
    }
    let plan = Plan {
        steps: vec![Step {
            page: targets,
            wait_ms: FALLBACK_WAIT_MS,
        }],
    };
    builtin(
        plan,
        "the escalation policy failed, so on-call is paged",
        why,
    )
}

fn builtin<T>(value: T, reason: &str, why: &Report) -> Verdict<T> {
    let source = PolicySource {
        file: "builtin".to_owned(),
        fallback: Some(cut(&why.to_string(), FALLBACK_BYTES_MAX)),
        ..PolicySource::default()
    };
    Verdict {
        value,
        reason: reason.to_owned(),
        source,
    }
}
