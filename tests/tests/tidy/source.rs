//! The tracked files, and which of their lines are test code.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use tocsin_tests::paths;

/// Generated files.
const GENERATED: &[&str] = &["plugin-sdk/src/bindings.rs"];

/// A Rust file.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    /// Whether the module was declared under `#[cfg(test)]`.
    only_tests: bool,
    /// The first line of the tests, which are at the end of a file by convention.
    tests_from: Option<usize>,
}

/// Paths of all tracked files, from the root.
pub(crate) fn tracked() -> Vec<String> {
    let mut git = Command::new("git");
    let output = git
        .arg("-C")
        .arg(paths::root())
        .args(["ls-files", "-z"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split('\0')
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Every tracked Rust file that is not generated.
pub(crate) fn sources() -> Vec<Source> {
    let rust = |it: &String| it.ends_with(".rs") && !GENERATED.contains(&it.as_str());
    let read = |path: String| {
        // A tracked file may have been deleted but not committed.
        let text = fs::read_to_string(paths::root().join(&path)).ok()?;
        Some(Source::new(&path, &text))
    };
    let mut found: Vec<Source> = tracked()
        .into_iter()
        .filter(rust)
        .filter_map(read)
        .collect();
    assert!(found.len() > 20, "git lists too few Rust files");
    let modules: BTreeSet<String> = found.iter().flat_map(test_modules).collect();
    for file in &mut found {
        let inside = |module: &String| {
            let rest = file.path.strip_prefix(module.as_str());
            rest.is_some_and(|it| it == ".rs" || it.starts_with('/'))
        };
        file.only_tests = modules.iter().any(inside);
    }
    found
}

/// Whether a line is a comment or an attribute.
fn is_note(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("//") || line.starts_with("#[")
}

/// Where the tests of a file begin. A `#[cfg(test)]` before `mod tests;` does not count, so that
/// code may follow it.
fn tests_from(text: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let is_mark = |line: &&str| line.trim() == "#[cfg(test)]";
    let mut marks = lines.windows(2).filter(|it| is_mark(&it[0]));
    if marks.all(|it| it[1].trim_end().ends_with(';')) {
        return None;
    }
    lines.iter().position(is_mark)
}

/// Modules that a file declares under `#[cfg(test)]`, as paths without `.rs`.
fn test_modules(file: &Source) -> Vec<String> {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or_default();
    let home = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter(|it| it[0] == "#[cfg(test)]");
    let declared = pairs.filter_map(|it| {
        let rest = it[1].strip_prefix("pub(crate) ").unwrap_or(it[1]);
        rest.strip_prefix("mod ")?.strip_suffix(';')
    });
    declared.map(|it| format!("{home}/{it}")).collect()
}

impl Source {
    /// A file that is not a test file by its name.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            only_tests: false,
            tests_from: tests_from(text),
        }
    }

    /// Whether a line (counted from 0) only runs in tests.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let file = self.only_tests
            || self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.contains("/examples/")
            || self.path.contains("/conformance")
            || name == "tests.rs"
            || name.ends_with("_tests.rs");
        file || self.tests_from.is_some_and(|from| line >= from)
    }

    /// Whether there is a proof on the line or in the comment above it.
    pub(crate) fn has_proof(&self, line: usize) -> bool {
        self.has_comment(line, "proof:")
    }

    /// Whether the comment on a line, or right above it, has this mark.
    pub(crate) fn has_comment(&self, line: usize, mark: &str) -> bool {
        let lines: Vec<&str> = self.text.lines().collect();
        if lines[line].contains(mark) {
            return true;
        }
        let above = lines[..line].iter().rev();
        above
            .take_while(|it| is_note(it))
            .any(|it| it.contains(mark))
    }
}
