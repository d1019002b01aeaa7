//! What authors of policies can rely on, one requirement per test.

mod checks;
mod communication;
mod comparisons;
mod counting;
mod libs;
mod limits;
mod moments;
mod places;
mod reports;
mod running;
mod sets;
mod shipped;
mod shown;
mod traces;
mod typical;
mod verdicts;
mod views;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tocsin_core::{Grade, Labels, Signal, SignalStatus, Status, Timestamp};

use crate::{
    AlertView, Context, ContextFacts, IncidentFacts, IncidentView, LocalTime, PolicySet, Report,
    Reports,
};

pub(crate) const ROUTE: &str =
    "fn route(alert) { #{ key: \"k\", service: \"s\", reason: \"because\" } }\n";
pub(crate) const GRADE: &str =
    "fn grade(incident, alert) { #{ grade: \"minor\", reason: \"because\" } }\n";
pub(crate) const ESCALATE: &str = "fn escalate(incident) { \
     #{ steps: [#{ page: person(\"ada\"), wait: minutes(5) }], reason: \"because\" } }\n";

/// A folder of the three required policies, with some replaced or added.
pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let defaults = [
        ("routing.rhai", ROUTE),
        ("grading.rhai", GRADE),
        ("escalation.rhai", ESCALATE),
    ];
    for (name, text) in defaults.iter().chain(files) {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

pub(crate) fn load(files: &[(&str, &str)]) -> Result<PolicySet, Reports> {
    PolicySet::load(folder(files).path())
}

/// The report of a routing policy with this text, whether it fails at load or when called.
pub(crate) fn routing_fault(text: &str) -> Report {
    let set = match load(&[("routing.rhai", text)]) {
        Ok(set) => set,
        Err(mut reports) => return reports.0.remove(0),
    };
    match set.route(&alert(&[]), &context()) {
        Ok(verdict) => panic!("no fault in {text}: {verdict:?}"),
        Err(report) => report,
    }
}

pub(crate) fn labels(labels: &[(&str, &str)]) -> Labels {
    labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

pub(crate) fn signal(of: &[(&str, &str)]) -> Signal {
    Signal {
        integration: "prometheus".into(),
        fingerprint: "f1".into(),
        status: SignalStatus::Firing,
        title: "High error rate".to_owned(),
        summary: "5 % of requests fail".to_owned(),
        labels: labels(of),
        annotations: labels(&[("runbook_url", "https://runbooks.example/errors")]),
        starts_at: Timestamp(1_000),
        ends_at: None,
        link: None,
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    }
}

pub(crate) fn alert(of: &[(&str, &str)]) -> AlertView {
    AlertView::new(signal(of))
}

pub(crate) fn facts() -> IncidentFacts {
    IncidentFacts {
        id: None,
        number: 7,
        key: "checkout".into(),
        title: "High error rate".to_owned(),
        service: "checkout".to_owned(),
        team: None,
        grade: Some(Grade::Major),
        security: false,
        status: Status::Open,
        alerts_total: 1,
        alerts_firing: 1,
        labels: Labels::new(),
        active_since: Timestamp(0),
        opened_at: Timestamp(1_000),
        acknowledged: false,
        drill: false,
    }
}

pub(crate) fn incident() -> IncidentView {
    IncidentView::new(facts())
}

pub(crate) fn context() -> Context {
    let on_call = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    Context::new(ContextFacts {
        now: LocalTime {
            utc: Timestamp(600_000),
            hour: 10,
            ..LocalTime::default()
        },
        on_call: BTreeMap::from([
            ("default".to_owned(), on_call(&["bob"])),
            ("payments".to_owned(), on_call(&["ada"])),
        ]),
        ..ContextFacts::default()
    })
}

pub(crate) fn shipped_dir() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies"))
}
