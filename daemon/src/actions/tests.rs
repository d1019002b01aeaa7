use std::collections::BTreeSet;

use serde_json::json;
use tocsin_core::Grade as Severity;
use tocsin_core::event::LogKind;

use super::chat::{Line, help, parse};
use super::{Ack, Action, Grade, Log, Merge, VERBS};

#[test]
fn chat_lines_are_parsed() {
    let action = |it: Action| Ok(Line::Action(it));
    assert_eq!(parse(" ack ", "slack"), action(Ack {}.into()));
    let log = |kind, body: &str| {
        let body = body.to_owned();
        action(Log { kind, body }.into())
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
    assert_eq!(parse("", "slack"), Ok(Line::Status));
}

#[test]
fn a_mistyped_line_lists_the_possible_commands() {
    for (line, says) in [
        ("akc", "type one of: ack"),
        ("grade terrible", "use minor, major or critical"),
        ("log", "nothing to log"),
        (
            "merge with db",
            "`with` is no incident's number; use `merge into 42`",
        ),
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
        let mut arguments = ["30m", "major because", "into 42 because"].into_iter();
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
