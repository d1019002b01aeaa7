//! What policies decided about an incident.

use tocsin_core::incident::Incident;
use tocsin_core::time::span_in_words;
use tocsin_core::{Actor, Event, Grade, PersonId, Plan, PolicySource, Recorded, Step, Timestamp};

use super::Clearance;

/// Something that a policy decided, or a person in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    pub at: Timestamp,
    pub by: Actor,
    /// What was decided: `route`, `grade`, `plan`, `cadence`, `respond`; or `failure`, if a policy
    /// failed.
    pub about: &'static str,
    /// The decision in one line.
    pub answer: String,
    pub reason: String,
    /// The policy; `None` when a person decided.
    pub source: Option<PolicySource>,
}

/// The decisions about an incident, in order; empty without clearance.
#[must_use]
pub fn decisions(incident: &Incident, events: &[Recorded], clearance: Clearance) -> Vec<Decision> {
    if !clearance.may_see(incident.grading.security) {
        return Vec::new();
    }
    events.iter().flat_map(of_event).collect()
}

fn of_event(recorded: &Recorded) -> Vec<Decision> {
    let decision = |about, answer, reason: &str, source: Option<&PolicySource>| Decision {
        at: recorded.at,
        by: recorded.by.clone(),
        about,
        answer,
        reason: reason.to_owned(),
        source: source.cloned(),
    };
    match &recorded.event {
        Event::Opened(it) => {
            let team = it.team.as_ref();
            let team = team.map_or_else(String::new, |team| format!(", team {team}"));
            let route = format!("key {}, service {}{team}", it.key, it.service);
            let grade = graded(it.grade, it.security, it.unsure);
            let plan = planned(&it.plan, recorded.at);
            let routed = decision("route", route, &it.route_reason, it.route_source.as_ref());
            // Nothing routes what a person opens.
            let routed = it.route_source.is_some().then_some(routed);
            let others = [
                decision("grade", grade, &it.grade_reason, it.grade_source.as_ref()),
                decision("plan", plan, &it.plan_reason, it.plan_source.as_ref()),
            ];
            routed.into_iter().chain(others).collect()
        }
        Event::Graded {
            grade,
            security,
            unsure,
            reason,
            source,
        } => {
            let answer = graded(*grade, *security, *unsure);
            vec![decision("grade", answer, reason, source.as_ref())]
        }
        Event::GradeProposed {
            grade,
            reason,
            source,
        } => {
            let answer = format!("{grade}, proposed: the grade stands until a person changes it");
            vec![decision("grade", answer, reason, source.as_ref())]
        }
        Event::Planned {
            plan,
            reason,
            source,
            ..
        } => vec![decision(
            "plan",
            planned(plan, recorded.at),
            reason,
            Some(source),
        )],
        Event::PolicyFailed { report } => {
            let answer = "a policy failed: its last verdict or the built-in one applies";
            vec![decision("failure", answer.to_owned(), report, None)]
        }
        _ => about_response(recorded).into_iter().collect(),
    }
}

/// What the communication policy decided.
fn about_response(recorded: &Recorded) -> Option<Decision> {
    let (about, answer, reason, source) = match &recorded.event {
        Event::UpdatePosted {
            audience,
            next_at: Some(next_at),
            reason,
            source: Some(source),
            ..
        } => {
            let next = span_in_words(next_at.since(recorded.at));
            let answer = format!("{audience} hears more in {next}");
            ("cadence", answer, reason, source)
        }
        event @ Event::RespondersChosen { reason, source, .. } => {
            let chosen = event.chosen().into_iter();
            let chosen: Vec<String> = chosen
                .map(|(role, people)| format!("{role}: {}", list(people)))
                .collect();
            let answer = match chosen.is_empty() {
                true => "nobody else is asked".to_owned(),
                false => chosen.join("; "),
            };
            ("respond", answer, reason, source)
        }
        _ => return None,
    };
    Some(Decision {
        at: recorded.at,
        by: recorded.by.clone(),
        about,
        answer,
        reason: reason.clone(),
        source: Some(source.clone()),
    })
}

/// Who is asked, one after the other.
fn list(people: &[PersonId]) -> String {
    let people: Vec<&str> = people.iter().map(PersonId::as_str).collect();
    people.join(", then ")
}

fn graded(grade: Grade, security: bool, unsure: bool) -> String {
    let flag = if security { ", security" } else { "" };
    let doubt = if unsure { ", unsure" } else { "" };
    format!("{grade}{flag}{doubt}")
}

fn planned(plan: &Plan, at: Timestamp) -> String {
    match plan.steps.is_empty() {
        true => "nobody is paged".to_owned(),
        false => {
            let steps: Vec<_> = plan.steps.iter().map(|it| step_in_words(it, at)).collect();
            steps.join("; ")
        }
    }
}

fn step_in_words(step: &Step, now: Timestamp) -> String {
    let from = step
        .at
        .map(|at| format!("not before {} later", span_in_words(at.since(now))));
    let names: Vec<_> = step.page.iter().map(ToString::to_string).collect();
    let page = (!names.is_empty()).then(|| format!("page {}", names.join(" and ")));
    let wait = format!("wait {}", span_in_words(step.wait_ms));
    let parts: Vec<_> = from.into_iter().chain(page).chain([wait]).collect();
    parts.join(", ")
}
