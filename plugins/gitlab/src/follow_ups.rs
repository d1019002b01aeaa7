//! What is done at the end of an incident: its open tasks become issues, linked to the incident's
//! issue, and the issue of a merged incident is linked to the other's.

use crate::api::{self, ApiError};
use crate::issue::{self, Place};
use crate::once;
use crate::text::{self, inline, marker};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::types::{Failure, Incident};
use tocsin_plugin_sdk::{log, people};

/// The label of such an issue.
const LABEL: &str = "follow-up";
const TASK_CHARS_MAX: usize = 2_000;

/// Does both, each once.
///
/// # Errors
/// Those of GitLab and the store.
pub(crate) fn at_the_end(
    incident: &Incident,
    place: &Place,
    merged_into: Option<u64>,
) -> Result<(), Failure> {
    if let Some(number) = merged_into {
        return link_to_other(incident, place, number);
    }
    let extra: Value = serde_json::from_str(&incident.extra).unwrap_or_default();
    let tasks = extra["tasks"]["open"].as_array();
    for task in tasks.into_iter().flatten() {
        if let Some(made) = tolerate(create(incident, place, task))? {
            tolerate(link(incident, place, &made))?;
        }
    }
    let named = tasks.map_or(0, Vec::len) as u64;
    let left = extra["tasks"]["count"].as_u64().unwrap_or(0);
    if let Some(more) = left.checked_sub(named).filter(|it| *it > 0) {
        let more = more.to_string();
        log::warn("open tasks without a follow-up issue", &[("count", &more)]);
    }
    Ok(())
}

fn create(incident: &Incident, place: &Place, task: &Value) -> Result<Place, Failure> {
    let words = task["text"].as_str().unwrap_or_default();
    let what = format!("task:{}/{}", incident.id, task["number"]);
    let url = incident.url.as_deref();
    let named = url.and_then(|it| text::link(it, &issue::name(incident)));
    let named = named.unwrap_or_else(|| issue::name(incident));
    let owner = task["owner"].as_str();
    let owner = owner.map_or(String::new(), |it| {
        format!("\n\nOwner: {}", inline(it, 100))
    });
    let description = format!(
        "{}\n\nThis was left to do when {named} was resolved.{owner}\n\n{}",
        inline(words, TASK_CHARS_MAX),
        marker(&what)
    );
    let mut labels = vec![LABEL];
    let flags = [("drill", incident.drill), ("security", incident.security)];
    labels.extend(flags.iter().filter(|it| it.1).map(|it| it.0));
    let body = json!({
        "title": text::title(words), "description": description, "labels": labels,
        "confidential": incident.security, "assignee_ids": assignee(task)?,
    });
    let project = place.project.to_string();
    let path = api::issues(&project);
    let made = once::make(
        &what,
        || issue::find(&project, &what, incident.opened_at),
        |key| api::write("POST", &path, &body, key),
    )?;
    Ok(Place {
        project: made.project,
        iid: made.iid,
    })
}

/// The account of a task's owner, if they have one.
fn assignee(task: &Value) -> Result<Vec<u64>, Failure> {
    let owner = task["owner-id"].as_str().and_then(people::by_id);
    let Some(name) = owner.as_ref().and_then(|it| it.contact("gitlab")) else {
        return Ok(Vec::new());
    };
    let found = api::get("users", &[("username", name)])?;
    let id = found[0]["id"].as_u64();
    if id.is_none() {
        log::warn("GitLab has no user of this name", &[("username", name)]);
    }
    Ok(id.into_iter().collect())
}

fn link_to_other(incident: &Incident, place: &Place, number: u64) -> Result<(), Failure> {
    let other = match commands::get(&number.to_string()) {
        Err(CommandError::NotFound) => return Ok(()),
        other => other?,
    };
    match issue::known(&other)? {
        Some(other) => tolerate(link(incident, place, &other)).map(drop),
        None => Ok(()),
    }
}

/// What GitLab refuses for good, as somebody deleted an issue or a task has no text, is not worth
/// the rest.
fn tolerate<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Err(Failure::Permanent(why)) => {
            log::warn(&why, &[]);
            Ok(None)
        }
        other => other.map(Some),
    }
}

fn link(incident: &Incident, from: &Place, to: &Place) -> Result<(), Failure> {
    let body = json!({
        "target_project_id": to.project.to_string(), "target_issue_iid": to.iid.to_string(),
        "link_type": "relates_to",
    });
    let path = format!("{}/links", from.path());
    let made = once::make(
        &format!("link:{}:{}", incident.id, to.id()),
        || Ok(None),
        |key| match api::write("POST", &path, &body, key) {
            // There is one.
            Err(ApiError::Conflict(_)) => Ok(Value::Null),
            other => other,
        },
    );
    made.map(drop)
}
