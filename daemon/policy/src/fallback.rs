//! The built-in verdicts for when a policy fails. They page somebody, and nobody outside is told: a
//! broken policy may cause unnecessary pages, but never a lost alert.

use tocsin_core::limits::{NAME_BYTES_MAX, RESPONSE_PEOPLE_MAX, STEP_TARGETS_MAX};
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{
    Cadence, Grade, Grading, IncidentKey, IntegrationId, PageTarget, PersonId, Plan, PolicySource,
    Response, Route, Step, Target, Verdict,
};

use crate::candidate::Candidates;
use crate::limits::FALLBACK_BYTES_MAX;
use crate::report::Report;
use crate::text::cut;
use crate::trace::{Answer, CandidateField, Facts, IncidentField, LoadField, Read, read};
use crate::view::IncidentView;

/// The rotation that is paged when no target is configured.
pub const DEFAULT_ROTATION: &str = "default";
/// Wait between two pages of [`fallback_plan`], in milliseconds.
pub const FALLBACK_WAIT_MS: u64 = 5 * MINUTE_MS;

pub(crate) const CADENCE_REASON: &str = "there is no communication policy, so it is as usual";
pub(crate) const RESPONSE_REASON: &str =
    "there is no communication policy, so the least busy who are awake are asked";

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

/// Promises each audience what is usual for the grade.
#[must_use]
pub fn usual_cadence(incident: &IncidentView, why: &Report) -> Verdict<Cadence> {
    let facts = incident.as_facts();
    builtin(
        cadence(facts),
        "the communication policy failed, so it is as usual",
        why,
    )
}

/// Asks the least busy.
#[must_use]
pub fn usual_response(
    incident: &IncidentView,
    candidates: &Candidates,
    why: &Report,
) -> Verdict<Response> {
    let facts = Facts {
        candidates: Some(candidates),
        ..incident.as_facts()
    };
    let reason = "the communication policy failed, so the least busy who are awake are asked";
    builtin(response(facts), reason, why)
}

/// As the shipped policy answers.
pub(crate) fn cadence(facts: Facts<'_>) -> Cadence {
    let usual = Cadence::usual(grade(facts));
    match read(Read::Incident(IncidentField::Status), facts) {
        Answer::Text(status) => status.parse().map_or(usual.clone(), |it| usual.given(it)),
        _ => usual,
    }
}

/// As the shipped policy answers.
pub(crate) fn response(facts: Facts<'_>) -> Response {
    let grade = grade(facts);
    if grade == Grade::Minor {
        return Response::default();
    }
    let of = |at: usize, field| read(Read::Candidate(at, field), facts);
    let number = |at: usize, field| match of(at, field) {
        Answer::Whole(number) => number,
        _ => 0,
    };
    let id = |at: &usize| match of(*at, CandidateField::Id) {
        Answer::Text(id) => PersonId::from(id.as_str()),
        _ => PersonId::from(""),
    };
    let count = match read(Read::Candidates, facts) {
        Answer::Whole(count) => usize::try_from(count).unwrap_or(0),
        _ => 0,
    };
    let is = |at: &usize, field| of(*at, field) == Answer::Flag(true);
    let sleeps = |at: &usize| is(at, CandidateField::Night) && !is(at, CandidateField::OnCall);
    let others = (0..count).filter(|at| !is(at, CandidateField::Operator));
    let mut others: Vec<usize> = others
        .filter(|at| grade == Grade::Critical || !sleeps(at))
        .collect();
    let load = |at: &usize, field| number(*at, CandidateField::Load(field));
    others.sort_by_key(|at| {
        let spoke = load(at, LoadField::SpokespersonMinutes);
        (sleeps(at), spoke, load(at, LoadField::Pages))
    });
    let mut response = Response::default();
    if grade == Grade::Critical {
        let rest = others.iter().skip(1).filter(|at| !sleeps(at));
        let shadow = rest.min_by_key(|at| number(**at, CandidateField::Level));
        response.shadow.extend(shadow.map(id));
    }
    let first = others.iter().take(RESPONSE_PEOPLE_MAX);
    response.spokesperson = first.map(id).collect();
    response
}

/// An incident without a grade counts as major.
fn grade(facts: Facts<'_>) -> Grade {
    match read(Read::Incident(IncidentField::Grade), facts) {
        Answer::Text(grade) => grade.parse().unwrap_or(Grade::Major),
        _ => Grade::Major,
    }
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
        file: PolicySource::BUILTIN.to_owned(),
        fallback: Some(cut(&why.to_string(), FALLBACK_BYTES_MAX)),
        ..PolicySource::default()
    };
    Verdict {
        value,
        reason: reason.to_owned(),
        source,
    }
}
