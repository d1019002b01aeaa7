//! Checks that the core is pure, and that only the core branches on the state of an incident or a
//! page.

use crate::source::Source;

/// Names that the core must not use, since decisions may depend only on their inputs. The order of
/// a `HashMap` is random, too. A shared value, `std::sync::Arc`, is as good as a copy.
const IMPURE: [&str; 13] = [
    "std::time",
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::process",
    "std::thread",
    "std::sync::atomic",
    "Mutex",
    "RwLock",
    "HashMap",
    "HashSet",
    "rand",
];
/// Code that may use a status, to display, translate or construct it.
const MAY_NAME_A_STATUS: [&str; 3] = [
    "daemon/src/disclosure/",
    "daemon/src/http/api/shapes.rs",
    "daemon/policy/src/view.rs",
];
const STATES: [&str; 2] = ["Status::", "PageState::"];
/// Questions about a status. The runtime carries out what the core decides, so it asks none; health
/// and the endpoints ask them to report.
const BRANCHES: [&str; 2] = ["is_active", "is_unanswered"];

/// Whether a line of the core uses something impure.
pub(crate) fn is_impure(file: &Source, line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let grouped = code.trim_start().starts_with("use std::{");
    file.path.starts_with("daemon/core/src/")
        && IMPURE.iter().any(|name| {
            let module = name.strip_prefix("std::").filter(|_| grouped);
            names(code, name) || module.is_some_and(|it| names(code, it))
        })
}

/// Whether a line outside the core branches on an incident's or a page's state.
pub(crate) fn goes_by_a_state(file: &Source, index: usize, line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let shell = file.path.starts_with("daemon/") && !file.path.starts_with("daemon/core/");
    let may = MAY_NAME_A_STATUS.iter().any(|it| file.path.starts_with(it));
    let is_runtime = file.path.starts_with("daemon/src/runtime/");
    let named = |words: &[&str]| words.iter().any(|it| names(code, it));
    let branches = named(&STATES) || is_runtime && named(&BRANCHES);
    shell && !may && !file.is_test(index) && branches
}

/// Whether a line contains these words as a whole name: `SignalStatus::` and `wit::Status::` are
/// not `Status::`.
fn names(code: &str, words: &str) -> bool {
    let is_part = |it: char| it.is_alphanumeric() || it == '_' || it == ':';
    code.match_indices(words).any(|(at, found)| {
        let before = code[..at].chars().next_back();
        let after = code[at + found.len()..].chars().next();
        let ends =
            found.ends_with(':') || !after.is_some_and(|it| it.is_alphanumeric() || it == '_');
        ends && !before.is_some_and(is_part)
    })
}

#[test]
fn only_whole_names_are_found() {
    assert!(names("use std::time::Instant;", "std::time"));
    assert!(names("    Status::Open => 1,", "Status::"));
    assert!(!names("SignalStatus::Firing", "Status::"));
    assert!(!names("wit::Status::Open", "Status::"));
    assert!(names("if it.incident.is_active() {", "is_active"));
    assert!(!names("if is_as_active(it) {", "is_active"));
    assert!(!names("let operand = 1;", "rand"));
}
