//! Asks the policies about one alert, as the daemon does when it opens an incident.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tocsin_core::{PolicySource, Route, Signal, Verdict};

use crate::report::Report;
use crate::set::PolicySet;
use crate::testing::compare as answer;
use crate::trace::Basis;
use crate::view::{AlertView, Context, IncidentFacts, IncidentView};

/// What one function answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evaluated {
    Verdict {
        /// `route`, `grade`, `escalate` or `cadence`.
        function: &'static str,
        /// As tests expect it, with its reason.
        answer: Value,
        /// The policy, and all that it read as pairs of an expression and what it found.
        source: PolicySource,
    },
    Fault {
        function: &'static str,
        fault: Report,
    },
}

/// Routes an alert, and grades and escalates the incident that it would open, and says how often
/// its audiences would hear of it: up to a fault, or to
/// a route that opens none.
#[must_use]
pub fn eval(set: &PolicySet, alert: Signal, context: &Context) -> Vec<Evaluated> {
    let alert = AlertView::new(alert);
    let mut done = Vec::new();
    let route = set.route_with_basis(&alert, context);
    let Some(route) = told("route", route, answer::route, &mut done) else {
        return done;
    };
    let (Route::Incident(target) | Route::Wait { target, .. }) = route else {
        return done;
    };
    let now = context.facts().now.utc;
    let opening = IncidentFacts::opening(&target, alert.signal(), now);
    let incident = IncidentView::new(opening.clone());
    let grading = set.grade_with_basis(&incident, &alert, context);
    let Some(grading) = told("grade", grading, answer::grading, &mut done) else {
        return done;
    };
    let incident = IncidentView::new(opening.graded(grading));
    let plan = set.escalate_with_basis(&incident, context);
    let answer = |plan| answer::plan(plan, context);
    told("escalate", plan, answer, &mut done);
    let cadence = set.cadence_with_basis(&incident, context);
    told("cadence", cadence, answer::cadence, &mut done);
    done
}

/// Notes what a function answered; its value, if there is one.
fn told<T: Clone>(
    function: &'static str,
    verdict: Result<(Verdict<T>, Basis), Report>,
    answer: impl FnOnce(Verdict<T>) -> Value,
    done: &mut Vec<Evaluated>,
) -> Option<T> {
    match verdict {
        Ok((verdict, basis)) => {
            let (value, mut source) = (verdict.value.clone(), verdict.source.clone());
            source.input = Some(Arc::new(basis.trace.whole()));
            done.push(Evaluated::Verdict {
                function,
                answer: answer(verdict),
                source,
            });
            Some(value)
        }
        Err(fault) => {
            done.push(Evaluated::Fault { function, fault });
            None
        }
    }
}
