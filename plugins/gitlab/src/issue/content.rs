//! What an incident's issue says: the title, the part of the description that is ours, and labels.

use crate::text::{self, inline, marker};
use crate::time::shown;
use std::hash::{DefaultHasher, Hash, Hasher};
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Grade, Incident, Status};

/// Ends our part of a description.
const END: &str = "end";
const SUMMARY_CHARS_MAX: usize = 2_000;
const REASON_CHARS_MAX: usize = 300;
const NAME_CHARS_MAX: usize = 100;
const CHANGES_MAX: usize = 5;
const LINKS_MAX: usize = 8;
/// Labels begin with it; those of other grades are removed.
const GRADE_LABEL: &str = "grade::";

/// What is to be seen of an incident in GitLab.
#[derive(Clone, Debug, Hash)]
pub(super) struct Content {
    pub(super) title: String,
    /// Our part of the description, with its markers.
    pub(super) part: String,
    /// The label of the grade, and those of a drill and of a security incident.
    pub(super) labels: Vec<String>,
    pub(super) confidential: bool,
    pub(super) is_over: bool,
    /// The number of the incident that it was merged into.
    pub(super) merged_into: Option<u64>,
}

/// Whether the plugin got the incident without its texts, as it lacks clearance. Every incident has
/// a service.
pub(crate) fn is_redacted(incident: &Incident) -> bool {
    incident.security && incident.services.is_empty()
}

/// `INC-42`, which names an incident and no issue.
pub(crate) fn name(incident: &Incident) -> String {
    format!("INC-{}", incident.number)
}

impl Content {
    pub(super) fn of(incident: &Incident) -> Self {
        let extra: Value = serde_json::from_str(&incident.extra).unwrap_or_default();
        let drill = if incident.drill { "DRILL " } else { "" };
        let title = format!("{drill}{} {}", name(incident), incident.title);
        let mut labels = vec![format!("{GRADE_LABEL}{}", incident.grade.as_str())];
        let flags = [("drill", incident.drill), ("security", incident.security)];
        let flags = flags.into_iter().filter(|it| it.1);
        labels.extend(flags.map(|it| it.0.to_owned()));
        Self {
            title: text::title(&title),
            part: part(incident, &extra),
            labels,
            confidential: incident.security,
            is_over: matches!(incident.status, Status::Resolved | Status::Closed),
            merged_into: extra["merged-into"].as_u64(),
        }
    }

    /// Other if anything is to be seen that was not.
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }

    /// The description with our part in place of the old one, or at its end.
    pub(super) fn described(&self, description: &str, incident: &str) -> String {
        let begin = marker(&of_incident(incident));
        let end = marker(END);
        let parts = description.split_once(&begin);
        match parts.and_then(|(above, rest)| Some((above, rest.split_once(&end)?.1))) {
            Some((above, below)) => format!("{above}{}{below}", self.part),
            None if description.trim().is_empty() => self.part.clone(),
            None => format!("{}\n\n{}", description.trim_end(), self.part),
        }
    }

    /// The labels to add to an issue, and those of other grades to remove.
    pub(super) fn labels_to_change(&self, labels: &Value) -> (Vec<String>, Vec<String>) {
        let labels = labels.as_array().into_iter().flatten();
        let labels: Vec<&str> = labels.filter_map(Value::as_str).collect();
        let added = self.labels.iter();
        let added = added.filter(|it| !labels.contains(&it.as_str())).cloned();
        let grades = [Grade::Minor, Grade::Major, Grade::Critical];
        let grades = grades.map(|it| format!("{GRADE_LABEL}{}", it.as_str()));
        let old = grades.into_iter();
        let old = old.filter(|it| labels.contains(&it.as_str()) && !self.labels.contains(it));
        (added.collect(), old.collect())
    }
}

/// What the marker of an incident's issue says.
pub(super) fn of_incident(id: &str) -> String {
    format!("incident:{id}")
}

fn part(incident: &Incident, extra: &Value) -> String {
    let mut lines = vec![marker(&of_incident(&incident.id))];
    let named = name(incident);
    let named = incident
        .url
        .as_deref()
        .and_then(|it| text::link(it, &named));
    let named = named.unwrap_or_else(|| name(incident));
    lines.push(format!(
        "**{named}** in tocsin. This part is kept current; write above or below it."
    ));
    lines.push(String::new());
    let redacted = is_redacted(incident);
    lines.extend(
        facts(incident, extra, redacted).map(|(name, text)| format!("- **{name}:** {text}")),
    );
    if !redacted {
        let summary = inline(&incident.summary, SUMMARY_CHARS_MAX);
        if !summary.is_empty() {
            lines.extend([String::new(), format!("**Summary:** {summary}")]);
        }
        lines.extend(list("Suspected changes", changes(extra)));
        lines.extend(list("Links", links(extra)));
    }
    lines.push(marker(END));
    lines.join("\n")
}

fn facts(
    incident: &Incident,
    extra: &Value,
    redacted: bool,
) -> impl Iterator<Item = (&'static str, String)> {
    let reason = extra["grade-reason"].as_str().filter(|it| !it.is_empty());
    let grade = match reason.filter(|_| !redacted) {
        Some(reason) => {
            let reason = inline(reason, REASON_CHARS_MAX);
            format!("{} ({reason})", incident.grade.as_str())
        }
        None => incident.grade.as_str().into(),
    };
    let merged = extra["merged-into"].as_u64();
    let status = match merged {
        Some(number) => format!("merged into INC-{number}"),
        None => incident.status.as_str().into(),
    };
    let services: Vec<_> = incident
        .services
        .iter()
        .filter(|it| !it.is_empty())
        .map(|it| inline(it, NAME_CHARS_MAX))
        .collect();
    let person = |name: Option<&str>| {
        let name = name.filter(|_| !redacted)?;
        Some(inline(name, NAME_CHARS_MAX))
    };
    let operator = incident.operator.as_ref().map(|it| it.name.as_str());
    let commander = extra["roles"]["commander"]["name"].as_str();
    let spokesperson = incident.spokesperson.as_ref().map(|it| it.name.as_str());
    let facts = [
        ("Grade", Some(grade)),
        ("Status", Some(status)),
        (
            "Service",
            Some(services.join(", ")).filter(|it| !it.is_empty()),
        ),
        ("Commander", person(commander)),
        ("Operator", person(operator)),
        ("Spokesperson", person(spokesperson)),
        ("Opened", Some(shown(incident.opened_at))),
        ("Acknowledged", incident.acknowledged_at.map(shown)),
        ("Mitigated", incident.mitigated_at.map(shown)),
        ("Resolved", incident.resolved_at.map(shown)),
    ];
    let facts = facts.into_iter();
    facts.filter_map(|(name, text)| Some((name, text?)))
}

/// A heading with its list; nothing if the list is empty.
fn list(heading: &str, items: Vec<String>) -> Vec<String> {
    if items.is_empty() {
        return items;
    }
    let heading = [String::new(), format!("**{heading}:**"), String::new()];
    let items = items.into_iter().map(|it| format!("- {it}"));
    heading.into_iter().chain(items).collect()
}

fn changes(extra: &Value) -> Vec<String> {
    let changes = extra["changes"]["newest"].as_array();
    let changes = changes.into_iter().flatten().take(CHANGES_MAX);
    let line = |it: &Value| {
        let title = it["title"].as_str()?;
        let title = text::extra_link(&it["link"], &it["title"])
            .unwrap_or_else(|| inline(title, REASON_CHARS_MAX));
        let at = it["at"].as_u64().map(|at| format!("{}: ", shown(at)));
        let status = match it["status"].as_str() {
            Some("confirmed") => ", confirmed as the cause",
            Some("made") => ", made during the incident",
            _ => "",
        };
        Some(format!("{}{title}{status}", at.unwrap_or_default()))
    };
    changes.filter_map(line).collect()
}

fn links(extra: &Value) -> Vec<String> {
    let alert = text::extra_link(&extra["link"], &Value::from("Alert"));
    let others = extra["links"].as_array().into_iter().flatten();
    let others = others.filter_map(|it| text::extra_link(&it["url"], &it["title"]));
    alert.into_iter().chain(others).take(LINKS_MAX).collect()
}
