//! What people do to the issue of an incident and write on it, for the incident's log.

use crate::hooks::{Project, Refusal};
use crate::{api, issue, jobs, text, time};
use serde::Deserialize;
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::text::cut_bytes;
use tocsin_plugin_sdk::types::Timestamp;
use tocsin_plugin_sdk::{kv, log};

/// The row that says whose the token is.
const OURSELVES: &str = "self";
/// How long that is believed, in milliseconds: the token may be replaced.
const OURSELVES_TTL_MS: u64 = 24 * 3_600_000;
/// How long it is remembered that something is in the log, in milliseconds.
const SEEN_TTL_MS: u64 = 24 * 3_600_000;
/// The queue takes little more; whoever wants the rest follows the link.
const BODY_BYTES_MAX: usize = 2_500;
const TITLE_BYTES_MAX: usize = 300;

#[derive(Debug, Deserialize)]
struct User {
    username: String,
}

/// What somebody did to an issue, or to an incident, which is a work item.
#[derive(Debug, Deserialize)]
pub(crate) struct IssueHook {
    user: User,
    project: Project,
    object_attributes: IssueFacts,
    #[serde(default)]
    changes: Changes,
}

#[derive(Debug, Deserialize)]
struct IssueFacts {
    iid: u64,
    action: Option<String>,
    updated_at: Option<String>,
    url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Changes {
    title: Option<Edit<String>>,
    confidential: Option<Edit<bool>>,
    assignees: Option<Edit<Vec<User>>>,
}

#[derive(Debug, Deserialize)]
struct Edit<T> {
    current: Option<T>,
}

/// What somebody wrote on an issue or on something else.
#[derive(Debug, Deserialize)]
pub(crate) struct NoteHook {
    user: User,
    project: Project,
    object_attributes: NoteFacts,
    issue: Option<Noted>,
}

#[derive(Debug, Deserialize)]
struct NoteFacts {
    id: u64,
    note: Option<String>,
    /// Absent before GitLab 16.11, which told of new notes only.
    action: Option<String>,
    #[serde(default)]
    system: bool,
    created_at: Option<String>,
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Noted {
    iid: u64,
}

/// Adds what somebody did to an incident's issue.
///
/// # Errors
/// When the store or the queue is unavailable.
pub(crate) fn issue(hook: &IssueHook, received_at: Timestamp) -> Result<(), Refusal> {
    let facts = &hook.object_attributes;
    let done = match facts.action.as_deref() {
        Some("close") => vec!["Closed the issue".to_owned()],
        Some("reopen") => vec!["Reopened the issue".to_owned()],
        Some("update") => hook.changes.told(),
        _ => Vec::new(),
    };
    if done.is_empty() || is_by_us(&hook.user)? {
        return Ok(());
    }
    let place = place(&hook.project, facts.iid);
    let updated_at = facts.updated_at.as_deref().unwrap_or_default();
    let remark = Remark {
        seen: format!("issue:{place}:{updated_at}:{}", done.join(";")),
        place,
        by: &hook.user,
        body: &format!("{}.", done.join(". ")),
        at: time::parse(updated_at).unwrap_or(received_at),
        link: facts.url.as_deref(),
    };
    remark.log()
}

impl Changes {
    /// One sentence for each.
    fn told(&self) -> Vec<String> {
        let title = self.title.as_ref().and_then(|it| it.current.as_ref());
        let title = title.map(|it| {
            let title = cut_bytes(&text::one_line(it), TITLE_BYTES_MAX);
            format!("Changed the title of the issue to \"{title}\"")
        });
        let confidential = self.confidential.as_ref().and_then(|it| it.current);
        let confidential = confidential.map(|it| match it {
            true => "Made the issue confidential".to_owned(),
            false => "Made the issue visible to everybody in the project".to_owned(),
        });
        let assignees = self.assignees.as_ref().and_then(|it| it.current.as_ref());
        let assignees = assignees.map(|it| {
            let names: Vec<&str> = it.iter().map(|it| it.username.as_str()).collect();
            match names.is_empty() {
                true => "Left the issue without an assignee".to_owned(),
                false => format!("Assigned the issue to {}", names.join(", ")),
            }
        });
        let told = [title, confidential, assignees];
        told.into_iter().flatten().collect()
    }
}

/// Adds what somebody wrote on an incident's issue.
///
/// # Errors
/// As [`issue`].
pub(crate) fn note(hook: &NoteHook, received_at: Timestamp) -> Result<(), Refusal> {
    let facts = &hook.object_attributes;
    let body = facts.note.as_deref().unwrap_or_default();
    let is_new = facts.action.as_deref().is_none_or(|it| it == "create");
    let is_ours = facts.system || text::has_marker(body);
    let Some(noted) = hook.issue.as_ref().filter(|_| is_new && !is_ours) else {
        return Ok(());
    };
    if body.trim().is_empty() || is_by_us(&hook.user)? {
        return Ok(());
    }
    let at = facts.created_at.as_deref().and_then(time::parse);
    let remark = Remark {
        seen: format!("note:{}", facts.id),
        place: place(&hook.project, noted.iid),
        by: &hook.user,
        body,
        at: at.unwrap_or(received_at),
        link: facts.url.as_deref(),
    };
    remark.log()
}

fn place(project: &Project, iid: u64) -> String {
    let project = project.id;
    issue::Place { project, iid }.id()
}

/// What is to be in the log.
struct Remark<'a> {
    /// The same for the webhook of a project and that of its group.
    seen: String,
    place: String,
    by: &'a User,
    body: &'a str,
    at: Timestamp,
    link: Option<&'a str>,
}

impl Remark<'_> {
    fn log(&self) -> Result<(), Refusal> {
        let incident = match commands::find_by_ref(issue::KIND, &self.place) {
            Ok(Some(incident)) => incident,
            Ok(None) | Err(CommandError::NotFound) => return Ok(()),
            Err(CommandError::Denied(why)) => {
                log::error(&why, &[]);
                return Ok(());
            }
            Err(error) => return Err(Refusal::Failed(error.into())),
        };
        // Without clearance the plugin may not write what belongs to a security incident.
        if issue::is_redacted(&incident) {
            return Ok(());
        }
        let seen = format!("seen:{}", cut_bytes(&self.seen, 200));
        if kv::get::<bool>(&seen)?.is_some() {
            return Ok(());
        }
        let body = cut_bytes(self.body.trim(), BODY_BYTES_MAX);
        let entry = jobs::Entry {
            incident: incident.id,
            author: self.by.username.clone(),
            body: body.replace(|it: char| it.is_control() && it != '\n', " "),
            at: self.at,
            link: self.link.map(Into::into),
        };
        jobs::log_later(&entry)?;
        kv::set(&seen, &true, Some(SEEN_TTL_MS))?;
        Ok(())
    }
}

/// Whether the plugin's own token did it.
fn is_by_us(user: &User) -> Result<bool, Refusal> {
    let known = kv::get::<String>(OURSELVES)?;
    Ok(known.is_some_and(|it| it.value == user.username))
}

/// Finds out whose the token is. Without it the plugin's own changes appear in the log, which is
/// not worth a failure.
pub(crate) fn know_ourselves() {
    if !matches!(kv::get::<String>(OURSELVES), Ok(None)) {
        return;
    }
    let found = match api::get("user", &[]) {
        Ok(user) => user["username"].as_str().map(str::to_owned),
        Err(_) => None,
    };
    let saved = found.map(|it| kv::set(OURSELVES, &it, Some(OURSELVES_TTL_MS)));
    if !matches!(saved, Some(Ok(_))) {
        log::warn("GitLab does not say whose the token is", &[]);
    }
}
