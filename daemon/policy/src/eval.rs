//! Asks the policies about one alert, as the daemon does when it opens an incident.

use serde::Serialize;
use serde_json::Value;
use tocsin_core::{PolicySource, Route, Signal, Verdict};

use crate::report::Report;
use crate::set::PolicySet;
use crate::testing::compare as answer;
use crate::view::{AlertView, Context, IncidentFacts, IncidentView};

/// What one function answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evaluated {
    Verdict {
        /// `route`, `grade` or `escalate`.
        function: &'static str,
        /// As tests expect it, with its reason.
        answer: Value,
        /// The policy, and what it read as pairs of an expression and what it found.
        source: PolicySource,
    },
    Fault {
        function: &'static str,
        fault: Report,
    },
}

/// Routes an alert, and grades and escalates the incident that it would open: up to a fault, or to
/// a route that opens none.
#[must_use]
pub fn eval(set: &PolicySet, alert: Signal, context: &Context) -> Vec<Evaluated> {
    let alert = AlertView::new(alert);
    let mut done = Vec::new();
    let route = set.route(&alert, context);
    let Some(route) = told("route", route, answer::route, &mut done) else {
        return done;
    };
    let (Route::Incident(target) | Route::Wait { target, .. }) = route else {
        return done;
    };
    let now = context.facts().now.utc;
    let opening = IncidentFacts::opening(&target, alert.signal(), now);
    let incident = IncidentView::new(opening.clone());
    let grading = set.grade(&incident, &alert, context);
    let Some(grading) = told("grade", grading, answer::grading, &mut done) else {
        return done;
    };
    let incident = IncidentView::new(opening.graded(grading));
    let plan = set.escalate(&incident, context);
    told("escalate", plan, answer::plan, &mut done);
    done
}

/// Notes what a function answered; its value, if there is one.
fn told<T: Clone>(
    function: &'static str,
    verdict: Result<Verdict<T>, Report>,
    answer: impl FnOnce(Verdict<T>) -> Value,
    done: &mut Vec<Evaluated>,
) -> Option<T> {
    match verdict {
        Ok(verdict) => {
            let (value, source) = (verdict.value.clone(), verdict.source.clone());
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
