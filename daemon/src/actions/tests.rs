use std::collections::BTreeSet;

use serde_json::json;
use tocsin_core::event::{LogKind, Written};
use tocsin_core::{Audience, Grade as Severity, Role};

use super::chat::{Line, help, parse};
use super::{Ack, Action, Confirm, Grade, Handoff, Log, Merge, Task, Update, VERBS};

#[test]
fn chat_lines_are_parsed() {
    let action = |it: Action| Ok(Line::Action(it));
    assert_eq!(parse(" ack ", "slack"), action(Ack {}.into()));
    let log = |kind, body: &str| {
        let body = body.to_owned();
        let written = Written::default();
        action(
            Log {
                kind,
                body,
                written,
            }
            .into(),
        )
    };
    assert_eq!(
        parse("log decided  roll back", "slack"),
        log(LogKind::Decided, "roll back")
    );
    assert_eq!(
        parse("log the disk is full", "slack"),
        log(LogKind::Note, "the disk is full")
    );
    let grade = |reason: &str| Grade {
        grade: Severity::Critical,
        security: None,
        reason: reason.to_owned(),
    };
    assert_eq!(
        parse("grade critical orders are lost", "slack"),
        action(grade("orders are lost").into())
    );
    assert_eq!(
        parse("grade critical", "slack"),
        action(grade("via slack").into())
    );
    for line in ["merge into #42 one cause", "merge 42 one cause"] {
        let (into, reason) = (42, Some("one cause".to_owned()));
        assert_eq!(parse(line, "slack"), action(Merge { into, reason }.into()));
    }
    for (line, text) in [
        ("confirm #2 the pool is small", Some("the pool is small")),
        ("confirm 2", None),
    ] {
        let (change, text) = (2, text.map(str::to_owned));
        assert_eq!(
            parse(line, "slack"),
            action(Confirm { change, text }.into())
        );
    }
    assert_eq!(parse("", "slack"), Ok(Line::Status));
}

#[test]
fn a_role_is_handed_off_with_its_name_or_without() {
    let handoff = |role, person: &str| {
        let person = person.to_owned();
        Ok(Line::Action(Handoff { person, role }.into()))
    };
    for line in ["handoff spokesperson @bob", "handoff Spokesperson bob"] {
        let role = Some(Role::Spokesperson);
        assert_eq!(parse(line, "slack"), handoff(role, "bob"));
    }
    assert_eq!(parse("handoff @bob", "slack"), handoff(None, "bob"));
}

#[test]
fn an_update_may_say_at_its_end_when_the_next_one_comes() {
    let update = |text: &str, minutes: Option<u64>| {
        let next = minutes.map(|it| format!("{it}m").parse().unwrap());
        let (audience, text) = (Audience::Company, text.to_owned());
        let update = Update {
            audience,
            text,
            next,
        };
        Ok(Line::Action(update.into()))
    };
    let cases = [
        ("We roll back. next 30m", "We roll back.", Some(30)),
        ("We roll back. next in 30m", "We roll back.", Some(30)),
        ("We roll back [next in 30m]", "We roll back", Some(30)),
        ("We roll back, next 1h", "We roll back", Some(60)),
        ("We roll back.", "We roll back.", None),
        ("We do that next", "We do that next", None),
        ("It takes 30m", "It takes 30m", None),
    ];
    for (line, text, next) in cases {
        let line = format!("update company {line}");
        assert_eq!(parse(&line, "slack"), update(text, next), "{line}");
    }
}

#[test]
fn a_task_is_added_assigned_and_finished_in_one_line_each() {
    let task = |text: Option<&str>, person: Option<&str>, task, done| {
        let (text, person) = (text.map(str::to_owned), person.map(str::to_owned));
        let task = Task {
            text,
            person,
            task,
            done,
        };
        Ok(Line::Action(task.into()))
    };
    let text = Some("restart the primary");
    let cases = [
        ("task restart the primary", task(text, None, None, false)),
        (
            "task @bob restart the primary",
            task(text, Some("bob"), None, false),
        ),
        ("task 2 @bob", task(None, Some("bob"), Some(2), false)),
        ("task done #2", task(None, None, Some(2), true)),
        (
            "task done with it",
            task(Some("done with it"), None, None, false),
        ),
        (
            "task 2 more disks",
            task(Some("2 more disks"), None, None, false),
        ),
    ];
    for (line, is) in cases {
        assert_eq!(parse(line, "slack"), is, "{line}");
    }
}

#[test]
fn a_mistyped_line_is_answered_with_what_to_type() {
    for (line, says) in [
        ("akc", "type `ack`, or `help`"),
        ("grade terrible", "a grade is minor, major or critical"),
        ("log", "nothing to log"),
        ("handoff", "name a person, as in `handoff spokesperson bob`"),
        ("help-wanted", "say what help you need"),
        (
            "handoff speaker bob",
            "`speaker` is not a role; use operator",
        ),
        ("update everybody hello", "engineering, company or public"),
        (
            "update company It is down. next 3om",
            "`3om` is no time; end with one such as `next 30m`",
        ),
        ("update company", "there is nothing to say"),
        (
            "task @bob",
            "say what to do, as in `task @bob restart the primary`",
        ),
        (
            "merge with db",
            "name the other incident by its number, as in `merge into 42`",
        ),
        ("confirm", "by its number, as in `confirm 1`"),
        ("clear the second", "by its number, as in `clear 1`"),
    ] {
        let error = parse(line, "slack").unwrap_err();
        assert!(error.contains(says), "{line}: {error}");
    }
}

#[test]
fn every_verb_has_the_same_name_in_the_api_in_chat_and_in_help() {
    let mut names = BTreeSet::new();
    let help = help();
    for verb in VERBS {
        // Arguments of which every verb can parse one, as text at least.
        let mut arguments = [
            "30m",
            "major because",
            "into 42 because",
            "42 because",
            "company it is down",
        ]
        .into_iter();
        let action =
            arguments.find_map(|it| match parse(&format!("{} {it}", verb.name), "slack") {
                Ok(Line::Action(action)) => Some(action),
                _ => None,
            });
        let action = action.unwrap_or_else(|| panic!("nothing is an action of {}", verb.name));
        let body = serde_json::to_value(&action).unwrap();
        assert_eq!(body["action"], verb.name);
        assert_eq!(serde_json::from_value::<Action>(body).unwrap(), action);
        assert!(help.contains(verb.name), "{help}");
        for word in [verb.name].iter().chain(verb.aliases) {
            assert!(names.insert(*word), "{word} twice");
        }
    }
}

#[test]
fn an_action_with_an_unknown_member_is_refused() {
    for body in [
        json!({ "action": "ack", "reason": "mine" }),
        json!({ "action": "grade", "grade": "major", "reason": "x", "team": "core" }),
        json!({ "action": "dance" }),
        json!({ "grade": "major", "reason": "x" }),
    ] {
        assert!(
            serde_json::from_value::<Action>(body.clone()).is_err(),
            "{body}"
        );
    }
}
