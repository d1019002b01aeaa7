//! Deployments, pipelines, pushes, tags and releases as changes, for incidents that they may have
//! caused.
//!
//! What is reported again, such as a deployment that ran and then succeeded, is the same change. It
//! keeps the time of its first report, which is when it began.

use crate::hooks::{Project, Refusal};
use crate::{jobs, settings, time};
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::kv;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::text::{cut, cut_bytes, one_line};
use tocsin_plugin_sdk::types::{Failure, Timestamp};

/// How long the first report is remembered, in milliseconds: a deployment may wait for a person.
const FIRST_TTL_MS: u64 = 14 * 24 * 3_600_000;
const SUMMARY_CHARS_MAX: usize = 250;
const ID_BYTES_MAX: usize = 240;
const LINK_BYTES_MAX: usize = 1_000;
/// Of a commit's ID, in the ID of a change.
const SHA_CHARS: usize = 12;
/// What a branch or a tag that was deleted points to.
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// A Deployment Hook. It has only a short commit ID; the whole one is in its commit's URL.
#[derive(Debug, Deserialize)]
pub(crate) struct Deployment {
    project: Project,
    deployment_id: u64,
    status: String,
    status_changed_at: String,
    environment: String,
    environment_tier: Option<String>,
    deployable_url: Option<String>,
    short_sha: Option<String>,
    commit_url: Option<String>,
    commit_title: Option<String>,
}

/// A Pipeline Hook.
#[derive(Debug, Deserialize)]
pub(crate) struct Pipeline {
    project: Project,
    object_attributes: PipelineFacts,
}

#[derive(Debug, Deserialize)]
struct PipelineFacts {
    id: u64,
    status: String,
    #[serde(rename = "ref")]
    name: String,
    #[serde(default)]
    tag: bool,
    sha: Option<String>,
    source: Option<String>,
    finished_at: Option<String>,
    url: Option<String>,
}

/// A Push Hook or a Tag Push Hook.
#[derive(Debug, Deserialize)]
pub(crate) struct Push {
    project: Project,
    #[serde(rename = "ref")]
    name: String,
    after: String,
    checkout_sha: Option<String>,
    #[serde(default)]
    commits: Vec<Commit>,
    #[serde(default)]
    total_commits_count: u64,
}

#[derive(Debug, Deserialize)]
struct Commit {
    id: String,
    title: Option<String>,
    url: Option<String>,
}

/// A Release Hook.
#[derive(Debug, Deserialize)]
pub(crate) struct Release {
    project: Project,
    action: String,
    tag: String,
    name: Option<String>,
    url: Option<String>,
    released_at: Option<String>,
    commit: Option<Commit>,
}

/// What is known of a change.
struct Change<'a> {
    id: String,
    summary: String,
    project: &'a Project,
    at: Timestamp,
    /// No further report is of it.
    is_over: bool,
    environment: Option<&'a str>,
    outcome: Option<&'a str>,
    revision: Option<&'a str>,
    /// Each with its text.
    links: Vec<(&'a Option<String>, &'a str)>,
}

pub(crate) fn deployment(hook: &Deployment) -> Result<(), Refusal> {
    let name = hook.environment.as_str();
    let tier = hook.environment_tier.as_deref().unwrap_or(name);
    let is_named = |it: &String| it.eq_ignore_ascii_case(name) || it.eq_ignore_ascii_case(tier);
    let counts = settings::list("environments").iter().any(is_named);
    let is_known = matches!(
        hook.status.as_str(),
        "running" | "success" | "failed" | "canceled"
    );
    if !counts || !is_known || !is_wanted("deployment") {
        return Ok(());
    }
    let short = hook.short_sha.as_deref().unwrap_or_default();
    let of_url = hook
        .commit_url
        .as_deref()
        .and_then(|it| it.rsplit('/').next());
    let whole = of_url.filter(|it| !short.is_empty() && it.starts_with(short));
    let title = hook.commit_title.as_deref().unwrap_or_default();
    let what = format!("Deploy {short} to {name}");
    report(Change {
        id: format!("deployment:{}:{}", hook.project.id, hook.deployment_id),
        summary: with_title(&what, title),
        project: &hook.project,
        at: read_time("status_changed_at", &hook.status_changed_at)?,
        is_over: hook.status != "running",
        environment: Some(name),
        outcome: Some(&hook.status),
        revision: whole.or(hook.short_sha.as_deref()),
        links: vec![(&hook.deployable_url, "Job"), (&hook.commit_url, "Commit")],
    })
}

pub(crate) fn pipeline(hook: &Pipeline, received_at: Timestamp) -> Result<(), Refusal> {
    let facts = &hook.object_attributes;
    let is_finished = matches!(facts.status.as_str(), "success" | "failed");
    let is_released = facts.tag || hook.project.default_branch.as_deref() == Some(&facts.name);
    // Its parent tells of a child, and nothing of a merge request is released yet.
    let is_part = matches!(
        facts.source.as_deref(),
        Some("parent_pipeline" | "merge_request_event")
    );
    if !is_finished || !is_released || is_part || !is_wanted("pipeline") {
        return Ok(());
    }
    let at = match &facts.finished_at {
        Some(text) => read_time("finished_at", text)?,
        None => received_at,
    };
    report(Change {
        id: format!("pipeline:{}:{}", hook.project.id, facts.id),
        summary: format!("Pipeline {} on {}", facts.id, facts.name),
        project: &hook.project,
        at,
        is_over: true,
        environment: None,
        outcome: Some(&facts.status),
        revision: facts.sha.as_deref(),
        links: vec![(&facts.url, "Pipeline")],
    })
}

pub(crate) fn push(hook: &Push, received_at: Timestamp) -> Result<(), Refusal> {
    let branch = hook.name.strip_prefix("refs/heads/");
    let is_released = branch.is_some() && branch == hook.project.default_branch.as_deref();
    if !is_released || hook.after == NOTHING || !is_wanted("push") {
        return Ok(());
    }
    let last = hook.commits.iter().find(|it| it.id == hook.after);
    let last = last.or(hook.commits.last());
    let title = last.and_then(|it| it.title.as_deref()).unwrap_or_default();
    let count = match hook.total_commits_count {
        1 => "1 commit".to_owned(),
        count => format!("{count} commits"),
    };
    let what = format!("Push of {count} to {}", branch.unwrap_or_default());
    let none = None;
    report(Change {
        id: format!("push:{}:{}", hook.project.id, hook.after),
        summary: with_title(&what, title),
        project: &hook.project,
        at: received_at,
        is_over: true,
        environment: None,
        outcome: None,
        revision: Some(&hook.after),
        links: vec![(last.map_or(&none, |it| &it.url), "Commit")],
    })
}

pub(crate) fn tag(hook: &Push, received_at: Timestamp) -> Result<(), Refusal> {
    let name = hook.name.trim_start_matches("refs/tags/");
    if hook.after == NOTHING || !is_wanted("tag") {
        return Ok(());
    }
    // A tag that is moved is another change.
    let sha: String = hook.after.chars().take(SHA_CHARS).collect();
    report(Change {
        id: format!("tag:{}:{sha}:{name}", hook.project.id),
        summary: format!("Tag {name}"),
        project: &hook.project,
        at: received_at,
        is_over: true,
        environment: None,
        outcome: None,
        revision: Some(hook.checkout_sha.as_deref().unwrap_or(&hook.after)),
        links: vec![(&hook.project.web_url, "Project")],
    })
}

pub(crate) fn release(hook: &Release, received_at: Timestamp) -> Result<(), Refusal> {
    if hook.action != "create" || !is_wanted("release") {
        return Ok(());
    }
    let at = match &hook.released_at {
        // It may be announced before.
        Some(text) => read_time("released_at", text)?.min(received_at),
        None => received_at,
    };
    let name = hook.name.as_deref().filter(|it| !it.is_empty());
    report(Change {
        id: format!("release:{}:{}", hook.project.id, hook.tag),
        summary: format!("Release {}", name.unwrap_or(&hook.tag)),
        project: &hook.project,
        at,
        is_over: true,
        environment: None,
        outcome: None,
        revision: hook.commit.as_ref().map(|it| it.id.as_str()),
        links: vec![(&hook.url, "Release")],
    })
}

fn is_wanted(kind: &str) -> bool {
    settings::list("changes").iter().any(|it| it == kind)
}

fn with_title(what: &str, title: &str) -> String {
    match title.is_empty() {
        true => what.to_owned(),
        false => format!("{what}: {title}"),
    }
}

fn read_time(name: &str, text: &str) -> Result<Timestamp, Refusal> {
    let why = || Refusal::Broken(format!("`{name}` is no time: {}", cut(text, 40)));
    time::parse(text).ok_or_else(why)
}

/// The first report of a change.
#[derive(Serialize, Deserialize)]
struct First {
    at: Timestamp,
    is_over: bool,
}

/// Queues the change with the time of its first report.
fn report(change: Change<'_>) -> Result<(), Refusal> {
    let id = cut_bytes(&change.id, ID_BYTES_MAX);
    let first = kv::get::<First>(&key(&id))?.map(|it| it.value);
    if is_late(first.as_ref(), change.is_over) {
        return Ok(());
    }
    let at = first.as_ref().map_or(change.at, |it| it.at);
    let row = First {
        at,
        is_over: change.is_over,
    };
    kv::set(&key(&id), &row, Some(FIRST_TTL_MS))?;
    let document = document(&change, &id, at);
    Ok(jobs::record_later(&id, change.is_over, &document)?)
}

/// Whether a later report of a change is already known. Reports may overtake each other.
///
/// # Errors
/// When the store is unavailable.
pub(crate) fn is_outdated(id: &str, is_over: bool) -> Result<bool, Failure> {
    let first = kv::get::<First>(&key(id))?.map(|it| it.value);
    Ok(is_late(first.as_ref(), is_over))
}

fn is_late(first: Option<&First>, is_over: bool) -> bool {
    !is_over && first.is_some_and(|it| it.is_over)
}

fn key(id: &str) -> String {
    format!("change:{id}")
}

/// In the shape of PagerDuty's change events, with an ID.
fn document(change: &Change<'_>, id: &str, at: Timestamp) -> Value {
    let mut details = json!({
        "environment": change.environment, "outcome": change.outcome,
        "revision": change.revision,
    });
    match settings::services(&change.project.path_with_namespace) {
        services if services.len() == 1 => details["service"] = json!(services[0]),
        services => details["services"] = json!(services),
    }
    let links = change.links.iter();
    let links = links.filter_map(|(href, text)| Some((href.as_deref()?, text)));
    let links = links.filter(|(href, _)| href.len() <= LINK_BYTES_MAX);
    let links: Vec<_> = links
        .map(|(href, text)| json!({ "href": href, "text": text }))
        .collect();
    json!({
        "id": id,
        "payload": {
            "summary": cut(&one_line(&change.summary), SUMMARY_CHARS_MAX),
            "timestamp": time::format(at),
            "source": format!("gitlab {}", change.project.path_with_namespace),
            "custom_details": details,
        },
        "links": links,
    })
}
