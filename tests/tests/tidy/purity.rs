//! The core decides and nothing else does: it can read no clock, file or chance, and no other
//! source goes by where an incident or a page stands.

use crate::source::Source;

/// What the core's sources must not name: each would make a decision depend on more than the
/// values that it is given. The order of a `HashMap` is chance, too.
const IMPURE: [&str; 11] = [
    "std::time",
    "std::fs",
    "std::net",
    "std::env",
    "std::io",
    "std::process",
    "std::thread",
    "std::sync",
    "HashMap",
    "HashSet",
    "rand",
];
/// Where a status is put into another system's words or shown, and where one is made.
const MAY_NAME_A_STATUS: [&str; 3] = [
    "daemon/src/disclosure/",
    "daemon/src/http/api/shapes.rs",
    "daemon/policy/src/view.rs",
];
const STATES: [&str; 2] = ["Status::", "PageState::"];

/// Whether a line of the core names something impure.
pub(crate) fn is_impure(file: &Source, line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let grouped = code.trim_start().starts_with("use std::{");
    file.path.starts_with("daemon/core/src/")
        && IMPURE.iter().any(|name| {
            let module = name.strip_prefix("std::").filter(|_| grouped);
            names(code, name) || module.is_some_and(|it| names(code, it))
        })
}

/// Whether a line outside the core goes by an incident's or a page's state.
pub(crate) fn goes_by_a_state(file: &Source, index: usize, line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let shell = file.path.starts_with("daemon/") && !file.path.starts_with("daemon/core/");
    let may = MAY_NAME_A_STATUS.iter().any(|it| file.path.starts_with(it));
    shell && !may && !file.is_test(index) && STATES.iter().any(|state| names(code, state))
}

/// Whether a line has these words as names of their own: `SignalStatus::` and `wit::Status::` are
/// other types than `Status::`.
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
fn a_word_is_found_as_a_name_of_its_own() {
    assert!(names("use std::time::Instant;", "std::time"));
    assert!(names("    Status::Open => 1,", "Status::"));
    assert!(!names("SignalStatus::Firing", "Status::"));
    assert!(!names("wit::Status::Open", "Status::"));
    assert!(!names("let operand = 1;", "rand"));
}
