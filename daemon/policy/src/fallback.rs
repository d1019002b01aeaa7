//! The built-in verdicts for when a policy fails. They page somebody, and nobody outside is told: a
//! broken policy may cause unnecessary pages, but never a lost alert.

use tocsin_core::limits::{NAME_BYTES_MAX, STEP_TARGETS_MAX};
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{
    Grade, Grading, IncidentKey, IntegrationId, PageTarget, Plan, PolicySource, Route, Step,
    Target, Verdict,
};

use crate::limits::FALLBACK_BYTES_MAX;
use crate::report::Report;
use crate::text::cut;

/// The rotation that is paged when no target is configured.
pub const DEFAULT_ROTATION: &str = "default";
/// Wait between two pages of [`fallback_plan`], in milliseconds.
pub const FALLBACK_WAIT_MS: u64 = 5 * MINUTE_MS;

/// Routes alerts that no policy could route to one incident per integration.
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
        merges: tocsin_core::Labels::new(),
    };
    builtin(Route::Incident(target), "the routing policy failed", why)
}

/// Grades as major, without the security flag.
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

/// Pages all `targets` at once, repeatedly until someone acknowledges, or the on-call of
/// [`DEFAULT_ROTATION`] when there are none. At most
/// [`STEP_TARGETS_MAX`](tocsin_core::limits::STEP_TARGETS_MAX) are paged.
#[must_use]
pub fn fallback_plan(mut targets: Vec<PageTarget>, why: &Report) -> Verdict<Plan> {
    targets.truncate(STEP_TARGETS_MAX);
    if targets.is_empty() {
        targets.push(PageTarget::OnCall(DEFAULT_ROTATION.to_owned()));
    }
    let plan = Plan {
        steps: vec![Step {
            at: None,
            page: targets,
            wait_ms: FALLBACK_WAIT_MS,
        }],
        ..Plan::default()
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
