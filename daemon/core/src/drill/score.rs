//! How well a drill went, from the events of its incident alone: the same events have the same
//! score.

use std::collections::BTreeSet;

use crate::log::LogKind;
use crate::time::in_words;
use crate::{Audience, Event, Grade, PromiseOutcome, Recorded, Role, Timestamp};

/// Full points.
const FULL: u32 = 100;

/// What a drill wants people to achieve.
#[derive(Clone, Debug, PartialEq)]
pub struct Goals {
    /// The right grade in the end.
    pub grade: Grade,
    /// Who must have been told.
    pub audiences: Vec<Audience>,
    /// How long until somebody acknowledges, in milliseconds.
    pub acknowledge_within_ms: u64,
    /// How long until the roles are filled, in milliseconds.
    pub roles_within_ms: u64,
    /// What people are asked.
    pub questions: Vec<QuestionGoal>,
}

/// A question that an update answers.
#[derive(Clone, Debug, PartialEq)]
pub struct QuestionGoal {
    /// As it is in the incident's log.
    pub text: String,
    /// Who must be told the answer.
    pub audience: Audience,
    /// How soon, in milliseconds.
    pub within_ms: u64,
}

/// How well a drill went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// From 0 to 100: the mean of the parts, rounded down.
    pub total: u32,
    pub parts: Vec<Part>,
}

/// One thing that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub name: &'static str,
    /// From 0 to 100.
    pub points: u32,
    /// What was achieved, for people.
    pub found: String,
    /// What was wanted, for people.
    pub wanted: String,
}

/// The score of an incident's events. Something that takes up to twice as long as it should has
/// half of the points, and none beyond.
#[must_use]
pub fn score(events: &[Recorded], goals: &Goals) -> Score {
    let parts: Vec<Part> = [
        Some(acknowledged(events, goals)),
        Some(roles(events, goals)),
        Some(grade(events, goals)),
        updates(events, goals),
        promises(events, goals),
        questions(events, goals),
        Some(log(events)),
    ]
    .into_iter()
    .flatten()
    .collect();
    // The number of parts is small, and at least four.
    let count = u32::try_from(parts.len()).unwrap_or(1).max(1);
    let total = parts.iter().map(|it| it.points).sum::<u32>() / count;
    Score { total, parts }
}

fn acknowledged(events: &[Recorded], goals: &Goals) -> Part {
    let first = first_at(events, |it| {
        let is_operator = |role: &Role| *role == Role::Operator;
        let has_one = matches!(it, Event::RoleAssigned { role, .. } if is_operator(role));
        has_one || matches!(it, Event::Acknowledged { .. })
    });
    let took = took(events, first);
    Part {
        name: "acknowledged",
        points: in_time(took, goals.acknowledge_within_ms),
        found: after(took),
        wanted: within(goals.acknowledge_within_ms),
    }
}

/// A minor incident needs nobody who speaks.
fn roles(events: &[Recorded], goals: &Goals) -> Part {
    let taken = |role: Role| {
        first_at(
            events,
            |it| matches!(it, Event::RoleAssigned { role: taken, .. } if *taken == role),
        )
    };
    let operator = taken(Role::Operator);
    let (filled, roles) = match goals.grade {
        Grade::Minor => (operator, "an operator"),
        _ => {
            let both = operator.zip(taken(Role::Spokesperson));
            let last = both.map(|(one, other)| one.max(other));
            (last, "an operator and a spokesperson")
        }
    };
    let took = took(events, filled);
    Part {
        name: "roles filled",
        points: in_time(took, goals.roles_within_ms),
        found: after(took),
        wanted: format!("{roles} {}", within(goals.roles_within_ms)),
    }
}

fn grade(events: &[Recorded], goals: &Goals) -> Part {
    let grade_of = |it: &Recorded| match &it.event {
        Event::Opened(opened) => Some(opened.grade),
        Event::Graded { grade, .. } => Some(*grade),
        _ => None,
    };
    let last = events.iter().rev().find_map(grade_of);
    let is_right = last == Some(goals.grade);
    Part {
        name: "grade",
        points: if is_right { FULL } else { 0 },
        found: last.map_or("none".to_owned(), |it| it.to_string()),
        wanted: goals.grade.to_string(),
    }
}

fn updates(events: &[Recorded], goals: &Goals) -> Option<Part> {
    let wanted: BTreeSet<Audience> = goals.audiences.iter().copied().collect();
    let told: BTreeSet<Audience> = events.iter().filter_map(audience_told).collect();
    let found: Vec<&Audience> = wanted.iter().filter(|it| told.contains(it)).collect();
    (!wanted.is_empty()).then(|| Part {
        name: "audiences told",
        points: share(found.len(), wanted.len()),
        found: names(&found),
        wanted: names(&wanted.iter().collect::<Vec<_>>()),
    })
}

/// Whoever is told something is promised more, so updates without any kept promise have no points.
fn promises(events: &[Recorded], goals: &Goals) -> Option<Part> {
    let outcomes = events.iter().filter_map(|it| match &it.event {
        Event::PromiseSettled { outcome, .. } => Some(*outcome),
        _ => None,
    });
    let outcomes: Vec<PromiseOutcome> = outcomes.collect();
    let kept = outcomes.iter().filter(|it| **it == PromiseOutcome::Kept);
    let kept = kept.count();
    (!goals.audiences.is_empty() || !outcomes.is_empty()).then(|| Part {
        name: "promises kept",
        points: share(kept, outcomes.len()),
        found: format!("{kept} of {}", outcomes.len()),
        wanted: "all, and at least one".to_owned(),
    })
}

/// Those that were asked: whoever is done before has nothing to answer.
fn questions(events: &[Recorded], goals: &Goals) -> Option<Part> {
    let asked = goals.questions.iter().filter_map(|it| {
        let is_it = |event: &Event| matches!(event, Event::Logged { body, .. } if *body == it.text);
        Some((it, first_at(events, is_it)?))
    });
    let asked: Vec<(&QuestionGoal, Timestamp)> = asked.collect();
    let is_answered = |it: &&(&QuestionGoal, Timestamp)| answered(events, it.0, it.1);
    let (count, all) = (asked.iter().filter(is_answered).count(), asked.len());
    (all > 0).then(|| Part {
        name: "questions answered",
        points: share(count, all),
        found: format!("{count} of {all}"),
        wanted: "all, by an update in time".to_owned(),
    })
}

fn answered(events: &[Recorded], question: &QuestionGoal, asked_at: Timestamp) -> bool {
    let until = asked_at.plus_ms(question.within_ms);
    let in_time = events
        .iter()
        .filter(|it| it.at >= asked_at && it.at <= until);
    let mut told = in_time.filter_map(audience_told);
    told.any(|it| it == question.audience)
}

/// What was seen, decided and done, and that what was to do has been done.
fn log(events: &[Recorded]) -> Part {
    let has = |kind: LogKind| {
        let is_it = |it: &Event| matches!(it, Event::Logged { kind: it, .. } if *it == kind);
        first_at(events, is_it).is_some()
    };
    let kinds = [LogKind::Seen, LogKind::Decided, LogKind::Done];
    let found: Vec<&str> = kinds
        .into_iter()
        .filter(|it| has(*it))
        .map(LogKind::as_str)
        .collect();
    let count = |is: fn(&Event) -> bool| events.iter().filter(|it| is(&it.event)).count();
    let tasks = count(|it| matches!(it, Event::TaskAdded { .. }));
    let done = count(|it| matches!(it, Event::TaskDone { .. }));
    let shown = if found.is_empty() {
        "none of them".to_owned()
    } else {
        found.join(", ")
    };
    Part {
        name: "log",
        points: share(found.len() + done, kinds.len() + tasks),
        found: format!("{shown}; {done} of {tasks} tasks done"),
        wanted: "seen, decided and done; every task".to_owned(),
    }
}

fn audience_told(recorded: &Recorded) -> Option<Audience> {
    match &recorded.event {
        Event::UpdatePosted { audience, .. } => Some(*audience),
        _ => None,
    }
}

fn first_at(events: &[Recorded], is: impl Fn(&Event) -> bool) -> Option<Timestamp> {
    events.iter().find(|it| is(&it.event)).map(|it| it.at)
}

/// How long after the opening something happened, in milliseconds.
fn took(events: &[Recorded], at: Option<Timestamp>) -> Option<u64> {
    Some(at?.since(events.first()?.at))
}

fn in_time(took_ms: Option<u64>, within_ms: u64) -> u32 {
    match took_ms {
        Some(took_ms) if took_ms <= within_ms => FULL,
        Some(took_ms) if took_ms <= within_ms.saturating_mul(2) => FULL / 2,
        _ => 0,
    }
}

fn share(part: usize, all: usize) -> u32 {
    let points = (part * FULL as usize).checked_div(all).unwrap_or(0);
    u32::try_from(points).map_or(FULL, |it| it.min(FULL))
}

fn after(took_ms: Option<u64>) -> String {
    match took_ms {
        Some(ms) => format!("after {}", in_words(ms)),
        None => "never".to_owned(),
    }
}

fn within(ms: u64) -> String {
    format!("within {}", in_words(ms))
}

fn names(audiences: &[&Audience]) -> String {
    let names: Vec<&str> = audiences.iter().map(|it| it.as_str()).collect();
    match names.is_empty() {
        true => "nobody".to_owned(),
        false => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Actor;
    use crate::time::MINUTE_MS;

    fn goals() -> Goals {
        Goals {
            grade: Grade::Critical,
            audiences: vec![Audience::Engineering, Audience::Company],
            acknowledge_within_ms: 5 * MINUTE_MS,
            roles_within_ms: 10 * MINUTE_MS,
            questions: vec![QuestionGoal {
                text: "When is it over?".to_owned(),
                audience: Audience::Company,
                within_ms: 10 * MINUTE_MS,
            }],
        }
    }

    fn log_of(lines: &[(u64, &str, Value)]) -> Vec<Recorded> {
        let recorded = |(minutes, kind, data): &(u64, &str, Value)| Recorded {
            at: Timestamp(0).plus_ms(minutes * MINUTE_MS),
            by: Actor::Tocsin,
            event: serde_json::from_value(json!({ "type": kind, "data": data })).unwrap(),
        };
        lines.iter().map(recorded).collect()
    }

    fn opened() -> (u64, &'static str, Value) {
        let opened = json!({
            "number": 1, "key": "drill/x", "title": "t", "service": "s", "grade": "major",
            "grade_reason": "r", "plan": { "steps": [] }, "plan_reason": "r", "drill": true,
        });
        (0, "opened", opened)
    }

    #[test]
    fn whoever_does_all_in_time_has_full_points() {
        let told = |audience: &str| json!({ "audience": audience, "body": "b" });
        let kept = json!({ "audience": "company", "due": 0, "outcome": "kept" });
        let events = log_of(&[
            opened(),
            (4, "acknowledged", json!({ "via": "slack" })),
            (4, "operator-assigned", json!({ "person": "ada" })),
            (
                5,
                "graded",
                json!({ "grade": "critical", "security": false, "reason": "r" }),
            ),
            (
                9,
                "operator-assigned",
                json!({ "role": "spokesperson", "person": "bob" }),
            ),
            (
                10,
                "logged",
                json!({ "kind": "note", "body": "When is it over?" }),
            ),
            (12, "update-posted", told("engineering")),
            (13, "update-posted", told("company")),
            (14, "promise-settled", kept),
            (15, "logged", json!({ "kind": "seen", "body": "b" })),
            (15, "logged", json!({ "kind": "decided", "body": "b" })),
            (15, "task-added", json!({ "task": 1, "text": "t" })),
            (16, "task-done", json!({ "task": 1 })),
            (16, "logged", json!({ "kind": "done", "body": "b" })),
        ]);
        let found = score(&events, &goals());
        assert_eq!(found.total, 100, "{found:#?}");
        assert_eq!(found, score(&events, &goals()), "the same again");
    }

    #[test]
    fn what_is_late_has_half_of_the_points_and_what_is_missing_none() {
        let events = log_of(&[
            opened(),
            (8, "acknowledged", json!({ "via": "slack" })),
            (8, "operator-assigned", json!({ "person": "ada" })),
            (9, "logged", json!({ "kind": "seen", "body": "b" })),
            (9, "task-added", json!({ "task": 1, "text": "t" })),
            (
                10,
                "logged",
                json!({ "kind": "note", "body": "When is it over?" }),
            ),
            (
                21,
                "update-posted",
                json!({ "audience": "company", "body": "b" }),
            ),
        ]);
        let found = score(&events, &goals());
        let points = |it: &Part| (it.name, it.points, it.found.clone());
        let points: Vec<_> = found.parts.iter().map(points).collect();
        let wanted = [
            ("acknowledged", 50, "after 8 min"),
            ("roles filled", 0, "never"),
            ("grade", 0, "major"),
            ("audiences told", 50, "company"),
            ("promises kept", 0, "0 of 0"),
            ("questions answered", 0, "0 of 1"),
            ("log", 25, "seen; 0 of 1 tasks done"),
        ];
        let wanted = wanted.map(|(name, points, found)| (name, points, found.to_owned()));
        assert_eq!(points, wanted);
        assert_eq!(found.total, 17);
    }

    #[test]
    fn a_minor_incident_needs_nobody_who_speaks() {
        let goals = Goals {
            grade: Grade::Minor,
            audiences: Vec::new(),
            questions: Vec::new(),
            ..goals()
        };
        let events = log_of(&[
            opened(),
            (1, "operator-assigned", json!({ "person": "ada" })),
        ]);
        let found = score(&events, &goals);
        let names: Vec<_> = found.parts.iter().map(|it| it.name).collect();
        assert_eq!(names, ["acknowledged", "roles filled", "grade", "log"]);
        assert_eq!(found.parts[1].points, 100);
    }
}
