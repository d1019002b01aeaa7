//! Compares a policy's result, in terms of the policy language, with a test's expectation. A test
//! lists only the fields that it is about; a `*` in an expected string matches any string.

use chrono::Datelike;
use serde_json::{Map, Value, json};
use tocsin_core::{Cadence, Grading, Plan, Response, Route, Step, Verdict};

use super::report::Difference;
use crate::calendar::{local_time, weekday_name};
use crate::helpers::glob;
use crate::report::Report;
use crate::span::Span;
use crate::view::Context;

/// What is found of a field that the result lacks.
const MISSING: &str = "not in the result";
/// Deepest expectation, in levels; results have three.
const DEPTH_MAX: usize = 8;

pub(crate) fn route(verdict: Verdict<Route>) -> Value {
    let reason = verdict.reason;
    let (target, wait) = match verdict.value {
        Route::Ignore => return json!({ "ignore": true, "reason": reason }),
        Route::Incident(target) => (target, None),
        Route::Wait {
            target,
            count,
            window_ms,
            otherwise,
        } => (target, Some((count, window_ms, otherwise))),
    };
    let mut answer = json!({
        "key": target.key,
        "service": target.service,
        "team": target.team.map_or(String::new(), |team| team.0),
        "title": target.title.unwrap_or_default(),
        "ignore": false,
        "reason": reason,
    });
    if let Some(answer) = answer.as_object_mut().filter(|_| !target.merges.is_empty()) {
        answer.insert("merge".to_owned(), json!(target.merges));
    }
    if let (Some(answer), Some((count, window_ms, otherwise))) = (answer.as_object_mut(), wait) {
        answer.insert("wait_for".to_owned(), json!(count));
        answer.insert("within".to_owned(), json!(Span(window_ms).to_string()));
        answer.insert("otherwise".to_owned(), json!(otherwise));
    }
    answer
}

pub(crate) fn grading(verdict: Verdict<Grading>) -> Value {
    let Grading {
        grade,
        security,
        unsure,
    } = verdict.value;
    let reason = &verdict.reason;
    json!({ "grade": grade, "security": security, "unsure": unsure, "reason": reason })
}

/// A time is written as the clock of the context shows it: `monday 09:00`.
pub(crate) fn plan(verdict: Verdict<Plan>, context: &Context) -> Value {
    let zone = context.facts().now.zone.parse().unwrap_or_default();
    let step = |step: &Step| {
        let wait = Span(step.wait_ms).to_string();
        let mut fields = json!({ "page": step.page, "wait": wait });
        if let (Some(fields), Some(at)) = (fields.as_object_mut(), step.at) {
            let local = local_time(zone, at);
            let at = format!(
                "{} {}",
                weekday_name(local.weekday()),
                local.format("%H:%M")
            );
            fields.insert("at".to_owned(), json!(at));
        }
        fields
    };
    let steps: Vec<Value> = verdict.value.steps.iter().map(step).collect();
    json!({ "steps": steps, "reason": verdict.reason })
}

pub(crate) fn cadence(verdict: Verdict<Cadence>) -> Value {
    let every = verdict.value.every_ms.iter();
    let every = every.map(|(audience, ms)| (audience.to_string(), json!(Span(*ms).to_string())));
    let reason = ("reason".to_owned(), json!(verdict.reason));
    Value::Object(every.chain([reason]).collect())
}

pub(crate) fn response(verdict: Verdict<Response>) -> Value {
    let Response {
        commander,
        spokesperson,
        shadow,
    } = verdict.value;
    json!({
        "commander": commander, "spokesperson": spokesperson, "shadow": shadow,
        "reason": verdict.reason,
    })
}

/// How a result differs from `expected`.
pub(super) fn differences(expected: &Value, answer: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    if expected.as_object().is_none_or(Map::is_empty) {
        found.push(Difference {
            field: "expect".to_owned(),
            expected: "at least one field".to_owned(),
            found: answer.to_string(),
        });
    }
    if let Some(error) = expected.get("error") {
        let (field, expected) = ("error".to_owned(), error.to_string());
        return vec![Difference {
            field,
            expected,
            found: format!("the result {answer}"),
        }];
    }
    walk("", expected, Some(answer), 0, &mut found);
    if answer.get("ignore") == Some(&Value::Bool(true)) {
        for it in found.iter_mut().filter(|it| it.found == MISSING) {
            it.found = format!("{MISSING}: the alert is ignored");
        }
    }
    found
}

/// How a failure differs from `expected`: only an expected `error` can match it.
pub(super) fn error_differences(expected: &Value, report: &Report) -> Vec<Difference> {
    let pattern = expected.get("error").and_then(Value::as_str);
    if pattern.is_some_and(|pattern| glob(pattern, &report.message)) {
        return Vec::new();
    }
    let (field, expected) = match pattern {
        Some(pattern) => ("error", format!("{pattern:?}")),
        None => ("the answer", expected.to_string()),
    };
    let found = format!("the error {:?}", report.message);
    vec![Difference {
        field: field.to_owned(),
        expected,
        found,
    }]
}

fn walk(
    field: &str,
    expected: &Value,
    found: Option<&Value>,
    depth: usize,
    differences: &mut Vec<Difference>,
) {
    let deeper = depth.saturating_add(1);
    match (expected, found) {
        (Value::Object(expected), Some(Value::Object(found))) if depth < DEPTH_MAX => {
            for (name, value) in expected {
                let field = if field.is_empty() {
                    name.clone()
                } else {
                    format!("{field}.{name}")
                };
                walk(&field, value, found.get(name), deeper, differences);
            }
        }
        (Value::Array(expected), Some(Value::Array(found)))
            if depth < DEPTH_MAX && expected.len() == found.len() =>
        {
            for (at, (expected, found)) in expected.iter().zip(found).enumerate() {
                walk(
                    &format!("{field}[{at}]"),
                    expected,
                    Some(found),
                    deeper,
                    differences,
                );
            }
        }
        (Value::String(pattern), Some(Value::String(text))) if glob(pattern, text) => {}
        (expected, Some(found)) if expected == found => {}
        // A single page target may be written without a list, as in the policy.
        (Value::String(_), Some(Value::Array(found))) if found.len() == 1 && depth < DEPTH_MAX => {
            walk(field, expected, found.first(), deeper, differences);
        }
        (expected, found) => differences.push(Difference {
            field: field.to_owned(),
            expected: expected.to_string(),
            found: found.map_or_else(|| MISSING.to_owned(), Value::to_string),
        }),
    }
}
