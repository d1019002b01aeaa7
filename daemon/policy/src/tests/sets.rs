//! A folder of policies loads as a whole or not at all.

use std::fs;

use tocsin_core::{Grade, PageTarget, Route};

use super::{ESCALATE, ROUTE, alert, context, facts, folder, incident, load, routing_fault};
use crate::fallback::{catch_all_grading, catch_all_route, fallback_plan};
use crate::limits::FALLBACK_BYTES_MAX;
use crate::{Candidates, IncidentFacts, IncidentView, PolicySet};

#[test]
fn a_set_is_shared_between_threads_and_cheap_to_clone() {
    fn assert_shared<T: Clone + Send + Sync + 'static>() {}
    assert_shared::<PolicySet>();
}

#[test]
fn a_missing_a_broken_and_a_misnamed_file_are_all_reported_at_once() {
    let dir = folder(&[
        ("grading.rhai", "fn grade( {"),
        ("escalatoin.rhai", ESCALATE),
    ]);
    fs::remove_file(dir.path().join("routing.rhai")).unwrap();
    let reports = PolicySet::load(dir.path()).unwrap_err();
    let text = reports.to_string();
    assert_eq!(reports.0.len(), 3, "{text}");
    assert!(text.contains("did you mean `escalation.rhai`?"), "{text}");
    assert!(text.contains("grading.rhai:1:"), "{text}");
    assert!(text.contains("routing.rhai: the file is missing; it must define `fn route(alert)`"));
}

#[test]
fn a_missing_folder_is_reported_with_a_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let reports = PolicySet::load(&dir.path().join("nowhere")).unwrap_err();
    assert!(
        reports
            .to_string()
            .contains("the policies folder cannot be read"),
        "{reports}"
    );
}

#[test]
fn a_function_with_the_wrong_parameters_is_reported_with_its_position() {
    let report = routing_fault("// first\nfn route() { }\n");
    assert!(
        report.message.contains("`route` takes 0 parameters"),
        "{report}"
    );
    assert_eq!(report.line, Some(2));
    let report = routing_fault("fn rout(alert) { }\n");
    assert!(
        report.message.contains("must define `fn route(alert)`"),
        "{report}"
    );
}

#[test]
fn optional_policies_must_define_their_functions_too() {
    let cadence = "fn cadence(incident) { }\n";
    let reports = load(&[("communication.rhai", cadence)]).unwrap_err();
    assert!(
        reports
            .to_string()
            .contains("must define `fn respond(incident, candidates)`")
    );
    let both = format!("{cadence}fn respond(incident, candidates) {{ }}\n");
    let due = "fn due(incident) { }\n";
    load(&[("communication.rhai", &both), ("postmortem.rhai", due)]).unwrap();
}

#[test]
fn a_team_may_have_its_own_policies_but_routing_is_shared() {
    let critical = "fn grade(incident, alert) { #{ grade: \"critical\", reason: \"ours\" } }";
    let hourly = "fn cadence(incident) { #{ company: hours(1), reason: \"ours\" } }\n\
                  fn respond(incident, candidates) { #{ reason: \"ours\" } }\n";
    let set = load(&[
        ("teams/payments/grading.rhai", critical),
        ("teams/payments/communication.rhai", hourly),
    ])
    .unwrap();
    let of = |team: &str| {
        IncidentView::new(IncidentFacts {
            team: Some(team.into()),
            ..facts()
        })
    };
    let grade = |team: &str| set.grade(&of(team), &alert(&[]), &context()).unwrap();
    assert_eq!(grade("payments").value.grade, Grade::Critical);
    assert_eq!(grade("payments").source.file, "teams/payments/grading.rhai");
    assert_eq!(grade("search").value.grade, Grade::Minor);
    assert_eq!(grade("../payments").value.grade, Grade::Minor);
    let cadence = |team: &str| set.cadence_with_basis(&of(team), &context()).unwrap().0;
    let file = "teams/payments/communication.rhai";
    assert_eq!(cadence("payments").source.file, file);
    assert_eq!(cadence("search").source.file, "builtin");
    let nobody = Candidates::default();
    let respond = |team: &str| set.respond_with_basis(&of(team), &nobody, &context());
    assert_eq!(respond("payments").unwrap().0.source.file, file);
    assert_eq!(respond("search").unwrap().0.source.file, "builtin");
    let reports = load(&[("teams/payments/routing.rhai", ROUTE)]).unwrap_err();
    assert!(
        reports
            .to_string()
            .contains("grading.rhai, escalation.rhai, communication.rhai"),
        "{reports}"
    );
}

#[test]
fn the_hash_and_the_fingerprint_show_a_change() {
    let dir = folder(&[]);
    let (set, fingerprint) = (
        PolicySet::load(dir.path()).unwrap(),
        PolicySet::fingerprint(dir.path()),
    );
    assert_eq!(set.hash(), PolicySet::load(dir.path()).unwrap().hash());
    assert_eq!(fingerprint, PolicySet::fingerprint(dir.path()));
    fs::write(dir.path().join("routing.rhai"), format!("{ROUTE}// more\n")).unwrap();
    assert_ne!(set.hash(), PolicySet::load(dir.path()).unwrap().hash());
    assert_ne!(fingerprint, PolicySet::fingerprint(dir.path()));
    fs::remove_dir_all(dir.path()).unwrap();
    assert_ne!(fingerprint, PolicySet::fingerprint(dir.path()));
}

#[test]
fn functions_can_use_constants_of_their_file() {
    let text = "const KEY = \"k\";\nfn key() { global::KEY }\nfn route(alert) { \
         #{ key: key(), service: global::KEY, reason: \"r\" } }\n";
    let set = load(&[("routing.rhai", text)]).unwrap();
    set.route(&alert(&[]), &context())
        .unwrap_or_else(|report| panic!("{report}"));
}

#[test]
fn a_call_keeps_no_state_for_the_next() {
    let text = "let calls = 0;\nfn route(alert) { let calls = 1; calls += 1; \
         #{ key: `${calls}`, service: \"s\", reason: \"r\" } }\n";
    let set = load(&[("routing.rhai", text)]).unwrap();
    let ask = || set.route(&alert(&[]), &context()).unwrap().value;
    assert_eq!(ask(), ask());
}

#[test]
fn when_a_policy_fails_the_built_in_verdicts_page_somebody_and_say_why() {
    let why = routing_fault(&format!("fn route(alert) {{ \"{}\" }}", "x".repeat(5_000)));
    let route = catch_all_route(&"prometheus".into(), &why);
    assert!(matches!(&route.value, Route::Incident(t) if t.key.0 == "unrouted/prometheus"));
    assert_eq!(catch_all_grading(&why).value.grade, Grade::Major);
    let plan = fallback_plan(Vec::new(), &why);
    assert_eq!(
        plan.value.steps[0].page,
        [PageTarget::OnCall("default".to_owned())]
    );
    assert_eq!(plan.source.file, "builtin");
    let told = plan.source.fallback.unwrap();
    assert!(
        told.contains("routing.rhai:1:19: route: the result is"),
        "{told}"
    );
    assert!(told.len() <= FALLBACK_BYTES_MAX);
    assert_eq!(
        fallback_plan(vec![PageTarget::Person("ada".into()); 40], &why)
            .value
            .steps[0]
            .page
            .len(),
        16
    );
    assert!(incident().facts().team.is_none());
}
