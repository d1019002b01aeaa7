//! The operator's settings.

use std::collections::BTreeMap;
use tocsin_plugin_sdk::config;
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Grade, Issue};

/// What can count as a change, by the names in the setting.
pub(crate) const CHANGES: [&str; 5] = ["deployment", "pipeline", "push", "release", "tag"];
const GRADES: [&str; 4] = ["minor", "major", "critical", "never"];
const LABEL_CHARS_MAX: usize = 255;

/// The server's URL without a trailing slash.
pub(crate) fn base_url() -> String {
    let url = config::get("base-url").unwrap_or_else(|| "https://gitlab.com".into());
    url.trim_end_matches('/').into()
}

/// The project of the issues: its path or its ID.
pub(crate) fn project() -> Option<String> {
    config::get("project").filter(|it| !it.is_empty())
}

/// Whether incidents of a grade get issues.
pub(crate) fn wants_issue(grade: Grade) -> bool {
    match config::get("issue-from-grade").as_deref() {
        Some("never") => false,
        Some("critical") => grade == Grade::Critical,
        Some("major") => grade != Grade::Minor,
        _ => true,
    }
}

/// A setting of kind `list`.
pub(crate) fn list(key: &str) -> Vec<String> {
    serde_json::from_str(&config::get(key).unwrap_or_default()).unwrap_or_default()
}

/// As the table says, or the last part of the project's path.
pub(crate) fn services(project: &str) -> Vec<String> {
    let table = config::get("services").unwrap_or_default();
    let table: BTreeMap<String, String> = serde_json::from_str(&table).unwrap_or_default();
    let last = project.rsplit('/').next().unwrap_or(project);
    let names = table.get(project).map_or(last, String::as_str).split(',');
    let names = names.map(|it| it.trim().to_owned());
    names.filter(|it| !it.is_empty()).collect()
}

/// Faults that the types of the manifest do not cover.
pub(crate) fn check(config: &Value) -> Vec<Issue> {
    let mut faults = Faults(Vec::new());
    let text = |key: &str| config.get(key).and_then(Value::as_str);
    if text("base-url").is_some_and(|it| !is_url(it)) {
        let why = "must be a URL, e.g. https://gitlab.com or https://host.example/gitlab";
        faults.add("base-url", why);
    }
    if text("project").is_some_and(|it| !is_project(it)) {
        let why = "must be the project's path with its groups, e.g. ops/incidents, or its ID";
        faults.add("project", why);
    }
    if text("issue-from-grade").is_some_and(|it| !GRADES.contains(&it)) {
        let why = "must be minor, major, critical or never: the grade from which on an incident \
                   gets an issue";
        faults.add("issue-from-grade", why);
    }
    let with_issues = text("issue-from-grade") != Some("never");
    let has_token = config::has_secret("token");
    let has_project = text("project").is_some_and(|it| !it.is_empty());
    match (with_issues, has_token, has_project) {
        (true, true, false) => {
            let why = "is missing: the project of the issues, e.g. ops/incidents; or set \
                       issue-from-grade = \"never\"";
            faults.add("project", why);
        }
        (true, false, _) => {
            let why = "needs the secret `token`; set it to \"never\" for changes only";
            faults.add("issue-from-grade", why);
        }
        _ => {}
    }
    check_lists(config, &mut faults);
    faults.0
}

fn check_lists(config: &Value, faults: &mut Faults) {
    let texts = |key: &str| {
        let items = config.get(key).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str)
    };
    if texts("changes").any(|it| !CHANGES.contains(&it)) {
        let why = format!("must be some of {}", CHANGES.join(", "));
        faults.add("changes", &why);
    }
    let is_label = |it: &str| {
        let long = it.chars().count();
        (1..=LABEL_CHARS_MAX).contains(&long) && !it.contains(',')
    };
    if texts("labels").any(|it| !is_label(it)) {
        faults.add(
            "labels",
            "must be names of labels without commas, e.g. [\"incident\"]",
        );
    }
    if texts("environments").any(|it| it.trim().is_empty()) {
        let why = "must be names or tiers of environments, e.g. [\"production\"]";
        faults.add("environments", why);
    }
    let services = config.get("services").and_then(Value::as_object);
    let is_named = |value: &Value| {
        let names = value.as_str().unwrap_or_default().split(',');
        names.map(str::trim).any(|it| !it.is_empty())
    };
    let mut services = services.into_iter().flatten();
    if services.any(|(project, names)| !is_project(project) || !is_named(names)) {
        let why = "must have services by paths of projects, e.g. { \"shop/checkout\" = \
                   \"checkout, cart\" }";
        faults.add("services", why);
    }
}

struct Faults(Vec<Issue>);

impl Faults {
    fn add(&mut self, path: &str, message: &str) {
        self.0.push(Issue {
            path: path.into(),
            message: message.into(),
        });
    }
}

fn is_url(text: &str) -> bool {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|it| !it.is_empty() && !it.contains(['?', '#', ' ']))
}

/// An ID, or a path of at least a group and a project.
fn is_project(text: &str) -> bool {
    let is_id = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let allowed = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-' | '.');
    let is_part = |it: &str| !it.is_empty() && it != ".." && it.chars().all(allowed);
    is_id || text.contains('/') && text.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::http::HttpError;
    use tocsin_plugin_sdk::serde_json::json;
    use tocsin_plugin_sdk::testing::FakeHost;

    fn host() -> FakeHost {
        FakeHost::install(|_| Err(HttpError::Timeout))
    }

    #[test]
    fn invalid_settings_are_refused_with_an_example() {
        let host = host();
        let good = json!({"base-url": "https://host.example/gitlab", "project": "a/b/c",
            "changes": ["push"], "services": {"a/b": "x, y"}});
        assert_eq!(check(&good), []);
        let bad = json!({
            "base-url": "gitlab", "project": "incidents", "issue-from-grade": "all",
            "changes": ["merge"], "labels": ["a,b"], "environments": [""],
            "services": {"a/b": " "},
        });
        let issues = check(&bad);
        let mut paths: Vec<&str> = issues.iter().map(|it| it.path.as_str()).collect();
        paths.sort_unstable();
        let settings = bad.as_object().unwrap().keys();
        assert_eq!(paths, settings.collect::<Vec<_>>());
        assert!(issues.iter().all(|it| it.message.len() > 20), "{issues:?}");
        host.unset_secret("token");
        assert_eq!(check(&json!({"issue-from-grade": "never"})), []);
    }

    #[test]
    fn issues_need_a_project_and_a_token() {
        let host = host();
        let faults = |config: Value| {
            let faults = check(&config).into_iter();
            faults.map(|it| it.path).collect::<Vec<_>>()
        };
        assert_eq!(faults(json!({})), ["project"]);
        assert_eq!(faults(json!({"project": "7"})), [""; 0]);
        host.unset_secret("token");
        assert_eq!(faults(json!({"project": "7"})), ["issue-from-grade"]);
    }

    #[test]
    fn a_project_is_the_services_of_the_table_or_the_last_part_of_its_path() {
        let host = host();
        assert_eq!(services("shop/web/checkout"), ["checkout"]);
        host.set_config("services", r#"{"shop/mono": "checkout, cart"}"#);
        assert_eq!(services("shop/mono"), ["checkout", "cart"]);
        assert_eq!(services("shop/other"), ["other"]);
    }
}
