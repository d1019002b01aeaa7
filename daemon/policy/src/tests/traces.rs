//! A trace is exact: for generated policies of every function and situations, what is known from a
//! trace is what the script would say, and nothing outside of the trace matters.

mod policies;
mod situations;

use proptest::prelude::*;
use tocsin_core::standing::Changing;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Grade, Verdict};

use super::{ESCALATE, GRADE, ROUTE, load};
use crate::PolicySet;
use crate::report::Report;
use crate::trace::{Basis, Facts};
use crate::view::{AlertView, Context, IncidentView};

use policies::{Function, policies, policies_of_incidents};
use situations::{Situation, situations};

fn set(function: Function, policy: &str) -> PolicySet {
    let of = |this: Function, usual| if this == function { policy } else { usual };
    let files = [
        ("routing.rhai", of(Function::Route, ROUTE)),
        ("grading.rhai", of(Function::Grade, GRADE)),
        ("escalation.rhai", of(Function::Escalate, ESCALATE)),
    ];
    load(&files).unwrap_or_else(|reports| panic!("{reports}\n{policy}"))
}

/// The views of a situation, to be looked at as facts.
struct Views(AlertView, IncidentView, Context);

impl Views {
    fn of(at: &Situation) -> Self {
        let (alert, incident, context) = at.views();
        Self(alert, incident, context)
    }

    /// What a function is asked about.
    fn facts(&self, function: Function) -> Facts<'_> {
        Facts {
            alert: Some(&self.0).filter(|_| function != Function::Escalate),
            incident: Some(&self.1).filter(|_| function != Function::Route),
            context: Some(&self.2),
            candidates: None,
        }
    }
}

/// What a function answered.
struct Asked {
    /// The whole verdict, as text.
    verdict: String,
    /// Without its reason and what it read.
    value: String,
    basis: Basis,
}

fn ask(set: &PolicySet, function: Function, at: &Situation) -> Asked {
    fn asked<T: std::fmt::Debug>(answer: Result<(Verdict<T>, Basis), Report>) -> Asked {
        let (verdict, basis) = answer.unwrap_or_else(|report| panic!("{report}"));
        Asked {
            verdict: format!("{verdict:?}"),
            value: format!("{:?}", verdict.value),
            basis,
        }
    }
    let Views(alert, incident, context) = Views::of(at);
    match function {
        Function::Route => asked(set.route_with_basis(&alert, &context)),
        Function::Grade => asked(set.grade_with_basis(&incident, &alert, &context)),
        Function::Escalate => asked(set.escalate_with_basis(&incident, &context)),
    }
}

/// What the script says, whatever is known.
fn ask_anew(set: &PolicySet, function: Function, at: &Situation) -> Asked {
    set.forget_verdicts();
    ask(set, function, at)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_verdict_from_the_cache_is_the_one_that_the_script_gives(
        (function, policy) in policies(),
        all in prop::collection::vec(situations(), 1..40),
    ) {
        let (cached, fresh) = (set(function, &policy), set(function, &policy));
        for at in &all {
            let (known, said) = (ask(&cached, function, at), ask_anew(&fresh, function, at));
            prop_assert_eq!(known.verdict, said.verdict, "{}\n{:?}", policy, at);
        }
    }

    #[test]
    fn a_verdict_stands_while_no_answer_in_its_trace_changes(
        (function, policy) in policies(),
        all in prop::collection::vec(situations(), 2..40),
    ) {
        let set = set(function, &policy);
        let Asked { verdict: stood, basis, .. } = ask(&set, function, &all[0]);
        for at in &all[1..] {
            if basis.trace.holds(Views::of(at).facts(function)) {
                let now = ask_anew(&set, function, at).verdict;
                prop_assert_eq!(&stood, &now, "{}\n{:?}\n{:?}", policy, basis.trace, at);
            }
        }
    }

    #[test]
    fn until_a_trace_flips_the_clock_changes_nothing(
        (function, policy) in policies(),
        at in situations(),
    ) {
        let trace = ask(&set(function, &policy), function, &at).basis.trace;
        let week = at.now.plus_ms(7 * 24 * HOUR_MS);
        let flips = trace.flips_at(Views::of(&at).facts(function));
        prop_assert!(flips.is_none_or(|it| it > at.now), "{trace:?}");
        let before = at.at(flips.unwrap_or(week).minus_ms(1));
        let holds = trace.holds(Views::of(&before).facts(function));
        prop_assert!(holds, "{policy}\n{trace:?}\n{before:?}");
    }

    #[test]
    fn a_verdict_stands_while_its_watch_holds_and_the_alert_reads_the_same(
        (function, policy) in policies_of_incidents(),
        one in situations(),
        other in situations(),
    ) {
        let set = set(function, &policy);
        // Around the incident nothing changes, which the watch only names, and no time passes. What
        // the incident is about never changes.
        let other = Situation {
            load: one.load,
            rotation: one.rotation.clone(),
            change_ms_ago: one.change_ms_ago,
            opened_ms_ago: one.opened_ms_ago,
            around: one.around.clone(),
            is_open: one.is_open,
            about: one.about.clone(),
            zone: one.zone,
            now: one.now,
            ..other
        };
        let asked = |at: &Situation| {
            let Asked { value, basis, .. } = ask(&set, function, at);
            let views = Views::of(at);
            (value, basis.shape, basis.trace.watch("these", views.facts(function)))
        };
        let (was, is) = (asked(&one), asked(&other));
        let incident = Changing {
            firing: other.firing,
            total: other.firing + other.more_alerts,
            grade: other.grade.unwrap_or(Grade::Minor),
            security: other.security,
            status: other.status(),
            acknowledged: other.acknowledged,
        };
        if other.grade.is_some() && was.1 == is.1 && was.2.holds(incident) {
            prop_assert_eq!(was.0, is.0, "{}", policy);
        }
    }
}
