//! Checks that text of an incident leaves the daemon only through `disclosure`, and never through
//! the log.

use crate::source::Source;

/// Fields with text from alerts, policies or people.
const TEXTS: [&str; 8] = [
    "about.title",
    "about.summary",
    "about.service",
    "about.team",
    "about.labels",
    "about.link",
    "grading.reason",
    "narrate(",
];
/// Code that may read them because it sends nothing out: the core and the facts for policies.
const READERS: [&str; 4] = [
    "daemon/core/",
    "daemon/policy/src/view.rs",
    "daemon/src/disclosure/",
    "daemon/src/runtime/intake/",
];
/// Log levels above debug: a security flag that is set later cannot remove such lines.
const LOGS: [&str; 3] = ["tracing::info!(", "tracing::warn!(", "tracing::error!("];
/// Names of incident data that must not be logged.
const SECRETS: [&str; 5] = ["title", "summary", "labels", "alertname", "about"];

/// Forbidden reads of an incident's texts, as `file:line: text`.
pub(crate) fn undisclosed(file: &Source) -> Vec<String> {
    let reads = |path: &&str| file.path.starts_with(*path);
    if !file.path.starts_with("daemon/") || READERS.iter().any(reads) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut chain = String::new();
    for (index, line) in file.text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default().trim();
        // A chain of fields may span several lines.
        if !code.starts_with('.') {
            chain.clear();
        }
        let known = chain.len();
        chain.push_str(code);
        let is_new = |text: &&str| chain.rfind(*text).is_some_and(|at| at + text.len() > known);
        if TEXTS.iter().any(is_new) && !file.is_test(index) {
            found.push(format!("{}:{}: {code}", file.path, index + 1));
        }
    }
    found
}

/// Log lines above level debug that contain incident data.
pub(crate) fn logged(file: &Source) -> Vec<String> {
    if !file.path.starts_with("daemon/src/") {
        return Vec::new();
    }
    let lines: Vec<&str> = file.text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        if !LOGS.iter().any(|it| line.contains(it)) || file.is_test(start) {
            continue;
        }
        let rest = &lines[start..];
        let ends = |it: &&str| it.trim_end().ends_with([';', ',', '}']) && it.contains(')');
        let length = rest.iter().position(ends).map_or(rest.len(), |it| it + 1);
        let text = rest[..length].join(" ");
        let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        if words.any(|it| SECRETS.contains(&it)) {
            found.push(format!("{}:{}: {}", file.path, start + 1, line.trim()));
        }
    }
    found
}
