//! Tests of the house style. Each lists every violation of its rule, with file and line.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod crates;
mod disclosure;
mod docs;
mod functions;
mod modules;
mod purity;
mod source;

use std::fs;
use std::process::Command;

use source::{Source, sources};
use tocsin_tests::paths;

const FILE_LINES_MAX: usize = 500;
/// Limit on the median file size, in bytes.
const FILE_BYTES_MEDIAN_MAX: usize = 5 * 1_024;
const LINE_CHARS_MAX: usize = 100;

fn assert_none(rule: &str, found: &[String]) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// Every line that breaks a rule, as `file:line: text`.
fn lines(files: &[Source], breaks: impl Fn(&Source, usize, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            if breaks(file, index, line) {
                found.push(format!("{}:{}: {}", file.path, index + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn files_are_short_enough_to_read() {
    let long = |it: &&Source| it.text.lines().count() > FILE_LINES_MAX;
    let found: Vec<String> = sources()
        .iter()
        .filter(long)
        .map(|it| it.path.clone())
        .collect();
    assert_none("files over 500 lines", &found);
}

#[test]
fn half_of_the_files_are_small() {
    let mut sizes: Vec<usize> = sources().iter().map(|it| it.text.len()).collect();
    let middle = sizes.len() / 2;
    let (_, median, _) = sizes.select_nth_unstable(middle);
    assert!(
        *median <= FILE_BYTES_MEDIAN_MAX,
        "the median file size is {median} bytes; at most {FILE_BYTES_MEDIAN_MAX}"
    );
}

#[test]
fn lines_are_at_most_100_columns() {
    let found = lines(&sources(), |_, _, line| {
        line.chars().count() > LINE_CHARS_MAX && !line.contains("://")
    });
    assert_none("lines over 100 columns", &found);
}

#[test]
fn functions_fit_on_a_screen() {
    let found: Vec<String> = sources().iter().flat_map(functions::too_long).collect();
    assert_none("functions over 70 lines", &found);
}

#[test]
fn unwrap_and_expect_need_a_proof() {
    let found = lines(&sources(), |file, index, line| {
        let code = line.split("//").next().unwrap_or_default();
        (code.contains(".unwrap()") || code.contains(".expect("))
            && !file.is_test(index)
            && !file.has_proof(index)
    });
    assert_none("unwrap or expect without a `// proof: …`", &found);
}

/// The only places that compare secrets, each with a constant-time function.
const COMPARES: [(&str, &str); 3] = [
    ("daemon/src/auth/secret.rs", ".ct_eq("),
    ("daemon/src/auth/ack_links/signature.rs", ".verify_slice("),
    ("daemon/plugin-host/src/call/verify.rs", ".ct_eq("),
];

#[test]
fn secrets_are_compared_in_constant_time() {
    let secrets = [
        "expose_secret()",
        ".reveal()",
        "finalize()",
        "signature",
        "password",
    ];
    let files = sources();
    let found = lines(&files, |file, index, line| {
        let code = line.split("//").next().unwrap_or_default();
        let compares = [" == ", " != ", ".eq("].iter().any(|it| code.contains(it));
        compares && secrets.iter().any(|it| code.contains(it)) && !file.is_test(index)
    });
    assert_none("secrets compared by ==", &found);
    for (path, how) in COMPARES {
        let compares = |it: &Source| it.path == path && it.text.contains(how);
        assert!(files.iter().any(compares), "{path} compares with {how}");
    }
}

#[test]
fn there_is_no_unfinished_work() {
    // Split in two, so that this file does not match.
    let marks = [concat!("FIX", "ME"), concat!("TO", "DO")];
    let found = lines(&sources(), |_, _, line| {
        // clippy finds `todo!` and `unimplemented!`.
        marks.iter().any(|mark| line.contains(mark))
    });
    assert_none("unfinished work", &found);
}

#[test]
fn every_file_begins_with_module_docs() {
    let silent = |it: &&Source| !it.is_test(0) && !it.text.trim_start().starts_with("//!");
    let found: Vec<String> = sources()
        .iter()
        .filter(silent)
        .map(|it| it.path.clone())
        .collect();
    assert_none("files that do not begin with module docs", &found);
}

#[test]
fn unsafe_code_is_forbidden_except_in_the_plugin_host() {
    // The host has one call that loads compiled code; the guests' bindings are generated.
    let excepted = ["daemon/plugin-host/src/lib.rs", "plugin-sdk/src/lib.rs"];
    let lacks = |root: &String| {
        let text = fs::read_to_string(paths::root().join(root)).unwrap();
        !excepted.contains(&root.as_str()) && !text.contains("#![forbid(unsafe_code)]")
    };
    let found: Vec<String> = crates::crate_roots().into_iter().filter(lacks).collect();
    assert_none("crate roots without forbid(unsafe_code)", &found);
}

#[test]
fn only_the_core_decides_by_an_incidents_status() {
    let found = lines(&sources(), purity::goes_by_a_state);
    assert_none(
        "a status or page state outside daemon/core; ask the incident or page instead",
        &found,
    );
}

#[test]
fn the_core_is_pure() {
    let found = lines(&sources(), |file, _, line| purity::is_impure(file, line));
    assert_none(
        "clocks, files, threads or randomness in daemon/core",
        &found,
    );
}

#[test]
fn no_binary_is_tracked() {
    let mut found = Vec::new();
    for path in source::tracked() {
        let Ok(bytes) = fs::read(paths::root().join(&path)) else {
            continue;
        };
        if bytes.iter().take(8_000).any(|byte| *byte == 0) {
            found.push(path);
        }
    }
    assert_none("binary files under version control", &found);
}

#[test]
fn no_file_contains_a_path_of_a_machine() {
    let places = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
    ];
    let mut found = Vec::new();
    for path in source::tracked() {
        let Ok(text) = fs::read_to_string(paths::root().join(&path)) else {
            continue;
        };
        for (index, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) {
                found.push(format!("{path}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    assert_none("paths of a machine", &found);
}

#[test]
fn decisions_are_numbered_without_gaps() {
    let mut numbers = Vec::new();
    for path in source::tracked() {
        let Some(name) = path.strip_prefix("docs/decisions/") else {
            continue;
        };
        if let Some(number) = name.get(..4).and_then(|it| it.parse::<usize>().ok()) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    let first = numbers.first().copied().unwrap_or(1);
    let expected: Vec<usize> = (first..first + numbers.len()).collect();
    assert_eq!(numbers, expected, "docs/decisions/NNNN-*.md");
}

#[test]
fn dependencies_point_one_way() {
    assert_none("dependencies that are not allowed", &crates::wrong());
}

#[test]
fn module_dependencies_match_the_architecture_and_have_no_cycles() {
    let architecture = fs::read_to_string(paths::root().join("ARCHITECTURE.md")).unwrap();
    let found = modules::wrong(&architecture);
    assert_none("the code and ARCHITECTURE.md differ", &found);
}

#[test]
fn git_is_available() {
    let answered = Command::new("git")
        .arg("-C")
        .arg(paths::root())
        .arg("status")
        .output();
    assert!(
        answered.unwrap().status.success(),
        "these tests read the list of tracked files"
    );
}

#[test]
fn incident_texts_leave_the_daemon_only_through_disclosure() {
    let files = sources();
    let found: Vec<String> = files.iter().flat_map(disclosure::undisclosed).collect();
    assert_none("texts of an incident read without `Disclosed`", &found);
    let found = lines(&files, |file, index, line| {
        let code = line.split("//").next().unwrap_or_default();
        let allowed = ["crate::disclosure::", "crate::text::", "crate::time::"];
        file.path.starts_with("daemon/src/disclosure/")
            && code.contains("crate::")
            && !allowed.iter().any(|it| code.contains(it))
            && !file.is_test(index)
    });
    assert_none(
        "disclosure may depend only on the core, texts and times",
        &found,
    );
}

#[test]
fn the_log_names_incidents_only_by_number_and_id() {
    let found: Vec<String> = sources().iter().flat_map(disclosure::logged).collect();
    assert_none("an incident's text in the log", &found);
}

#[test]
fn a_doc_comment_says_more_than_the_name() {
    let found: Vec<String> = sources().iter().flat_map(docs::repeating).collect();
    assert_none("doc comments that repeat the name", &found);
}
