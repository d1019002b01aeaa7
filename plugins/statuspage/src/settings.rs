//! The operator's settings.

use std::collections::BTreeMap;
use tocsin_plugin_sdk::config;
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Grade, Issue};

/// The statuses of a component, the best first.
pub(crate) const COMPONENT_STATUSES: [&str; 5] = [
    "operational",
    "under_maintenance",
    "degraded_performance",
    "partial_outage",
    "major_outage",
];
const GRADES: [Grade; 3] = [Grade::Minor, Grade::Major, Grade::Critical];
/// Stands for the names of the components in the setting `name-of-components`.
pub(crate) const NAMES: &str = "{}";

/// The API without a trailing slash.
pub(crate) fn base_url() -> String {
    text("base-url").trim_end_matches('/').into()
}

pub(crate) fn page_id() -> String {
    text("page-id")
}

/// A setting as text; empty if it is not set.
pub(crate) fn text(key: &str) -> String {
    config::get(key).unwrap_or_default()
}

/// The components that show these services, each once.
pub(crate) fn components(services: &[String]) -> Vec<String> {
    let known = table("components");
    let mut found: Vec<String> = Vec::new();
    for id in services.iter().filter_map(|it| known.get(it)) {
        if !found.contains(id) {
            found.push(id.clone());
        }
    }
    found
}

/// The status of a component for a grade, or an impact, which has the same names.
pub(crate) fn component_status(grade: &str) -> String {
    let set = table("component-status").remove(grade);
    set.unwrap_or_else(|| {
        let default = match grade {
            "critical" => "major_outage",
            "major" => "partial_outage",
            _ => "degraded_performance",
        };
        default.into()
    })
}

/// Faults of the settings.
pub(crate) fn check(config: &Value) -> Vec<Issue> {
    let mut issues = Vec::new();
    let mut refuse = |path: &str, message: &str| {
        issues.push(Issue {
            path: path.into(),
            message: message.into(),
        });
    };
    let text = |key: &str| config.get(key).and_then(Value::as_str);
    if text("base-url").is_some_and(|it| !it.starts_with("http")) {
        let why = "must be the URL of the API, e.g. https://api.statuspage.io/v1";
        refuse("base-url", why);
    }
    if text("page-id").is_some_and(|it| !is_id(it)) {
        let why = "must be the page's id, e.g. kctbh9vrtdwd; it is under API info in Statuspage's \
                   user menu";
        refuse("page-id", why);
    }
    for (service, id) in entries(config, "components") {
        if !id.as_str().is_some_and(is_id) {
            let why =
                "must be a component's id, e.g. 8kbf7d35c070; its page in Statuspage shows it";
            refuse(&format!("components.{service}"), why);
        }
    }
    for (grade, status) in entries(config, "component-status") {
        let path = format!("component-status.{grade}");
        if !GRADES.iter().any(|it| it.as_str() == grade) {
            refuse(
                &path,
                "is for no grade: the grades are minor, major and critical",
            );
        } else if !status
            .as_str()
            .is_some_and(|it| COMPONENT_STATUSES.contains(&it))
        {
            let known = COMPONENT_STATUSES.join(", ");
            refuse(&path, &format!("must be one of {known}"));
        }
    }
    if text("name").is_some_and(|it| it.trim().is_empty()) {
        refuse("name", "must not be empty, e.g. Service incident");
    }
    if text("name-of-components").is_some_and(|it| !it.contains(NAMES)) {
        let why = "must have {} where the names of the components go, e.g. Problems with {}";
        refuse("name-of-components", why);
    }
    issues
}

fn table(key: &str) -> BTreeMap<String, String> {
    serde_json::from_str(&text(key)).unwrap_or_default()
}

fn entries<'a>(config: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let table = config.get(key).and_then(Value::as_object);
    table.into_iter().flatten()
}

/// Whether a text can be an id of Statuspage; it becomes part of a path.
fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-')
}
