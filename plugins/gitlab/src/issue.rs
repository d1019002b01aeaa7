//! The incident's issue: exactly one, brought to the incident's current state by whatever event
//! comes, in whatever order.
//!
//! Of the description only the part between our markers is written, of the labels only those of
//! the grade and the flags. People's titles stay until the incident's title changes, and an issue
//! that they close or reopen stays so until the incident is resolved or reopened.
//!
//! The issue of a security incident is confidential before anything else is written to it, and it
//! stays confidential even if the flag is removed.

mod claim;
mod content;

use crate::api::{self, ApiError};
use crate::once::{self, Made};
use crate::{follow_ups, remarks, settings, text, time};
use claim::{Claim, Row};
use content::{Content, of_incident};
pub(crate) use content::{is_redacted, name};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::{Map, Value, json};
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident, Outcome, Status, Timestamp};
use tocsin_plugin_sdk::{config, http, log};

/// The kind of an incident's ref to its issue.
pub(crate) const KIND: &str = "issue";
/// Clocks differ, and an issue is older than the attempt that looks for it.
const LOOK_BACK_MS: u64 = 600_000;
const PAGES_MAX: usize = 5;
/// The longest page that GitLab returns.
const PAGE: usize = 100;

/// Where an issue is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The ID of its project.
    pub(crate) project: u64,
    /// Its number in the project.
    pub(crate) iid: u64,
}

impl Place {
    pub(crate) fn path(&self) -> String {
        format!("{}/{}", api::issues(&self.project.to_string()), self.iid)
    }

    /// As the ID of a ref.
    pub(crate) fn id(&self) -> String {
        format!("{}#{}", self.project, self.iid)
    }

    fn parse(id: &str) -> Option<Self> {
        let (project, iid) = id.split_once('#')?;
        Some(Self {
            project: project.parse().ok()?,
            iid: iid.parse().ok()?,
        })
    }
}

/// Brings the issue to the incident's state.
///
/// # Errors
/// Those of GitLab and the store.
pub(crate) fn follow(incident: &Incident, delivery: &Delivery) -> Result<Outcome, Failure> {
    Ok(match ensure(&now(incident)?, delivery)? {
        Some(_) => Outcome::Done,
        None => Outcome::Ignored,
    })
}

/// The incident's current state: an event may be older than the flag, or than what the issue shows.
pub(crate) fn now(incident: &Incident) -> Result<Incident, Failure> {
    match commands::get(&incident.id) {
        Ok(now) => Ok(now),
        // If we cannot read the incident, the event decides.
        Err(CommandError::NotFound | CommandError::Denied(_)) => Ok(incident.clone()),
        Err(error) => Err(error.into()),
    }
}

/// The incident's issue, created if necessary, and as the incident is now; `None` if it has none.
///
/// # Errors
/// Those of GitLab and the store; retry while another delivery writes it.
pub(crate) fn ensure(incident: &Incident, delivery: &Delivery) -> Result<Option<Place>, Failure> {
    let mut claim = Claim::read(&incident.id)?;
    let row = &claim.row;
    let Some(project) = settings::project().filter(|_| config::has_secret("token")) else {
        return Ok(None);
    };
    let known = place(row).or_else(|| linked(incident));
    let is_begun = incident.status != Status::Closed && settings::wants_issue(incident.grade);
    if row.is_gone || known.is_none() && !is_begun {
        return Ok(None);
    }
    let content = Content::of(incident);
    let is_shown = row.revision >= incident.revision || row.digest == content.digest();
    if is_shown && row.is_linked && known.is_some() {
        return Ok(known);
    }
    claim.take(delivery)?;
    let result = bring(&mut claim, &project, incident, &content);
    let row = claim.release(result)?;
    Ok(place(&row).filter(|_| !row.is_gone))
}

/// The incident's issue, if it has one.
///
/// # Errors
/// When the store is unavailable.
pub(crate) fn known(incident: &Incident) -> Result<Option<Place>, Failure> {
    let row = Claim::read(&incident.id)?.row;
    let place = place(&row).or_else(|| linked(incident));
    Ok(place.filter(|_| !row.is_gone))
}

/// The issue that an incident is linked to.
fn linked(incident: &Incident) -> Option<Place> {
    let mut refs = incident.refs.iter();
    let own = refs.find(|it| it.kind == KIND && it.plugin == "gitlab")?;
    Place::parse(&own.id)
}

fn place(row: &Row) -> Option<Place> {
    let made = row.issue.as_ref()?;
    Some(Place {
        project: made.project,
        iid: made.iid,
    })
}

fn bring(
    claim: &mut Claim,
    project: &str,
    incident: &Incident,
    content: &Content,
) -> Result<(), Failure> {
    remarks::know_ourselves();
    if claim.row.issue.is_none() {
        let linked = linked(incident);
        claim.row.is_linked = linked.is_some();
        claim.row.issue = Some(match linked {
            Some(place) => Made::at(&place),
            None => create(project, incident, content)?,
        });
        claim.save()?;
    }
    let Some(place) = place(&claim.row) else {
        return Ok(());
    };
    if !claim.row.is_linked {
        let url = claim.row.issue.as_ref().and_then(|it| it.url.as_deref());
        commands::link(&incident.id, KIND, &place.id(), url)?;
        claim.row.is_linked = true;
        claim.save()?;
    }
    let digest = content.digest();
    if claim.row.digest != digest {
        update(claim, &place, incident, content)?;
        if !claim.row.is_gone && content.is_over && !claim.row.is_over {
            follow_ups::at_the_end(incident, &place, content.merged_into)?;
        }
        claim.row.is_over = content.is_over;
        claim.row.title.clone_from(&content.title);
        claim.row.digest = digest;
    }
    claim.row.revision = claim.row.revision.max(incident.revision);
    Ok(())
}

/// Creates the issue, or finds the one that an earlier attempt created.
fn create(project: &str, incident: &Incident, content: &Content) -> Result<Made, Failure> {
    let mut labels = settings::list("labels");
    labels.extend(content.labels.iter().cloned());
    let body = json!({
        "title": content.title, "description": content.part, "issue_type": "incident",
        "labels": labels, "confidential": content.confidential,
    });
    let what = of_incident(&incident.id);
    let path = api::issues(project);
    once::make(
        &what,
        || find(project, &what, incident.opened_at),
        |key| api::write("POST", &path, &body, key),
    )
}

/// An issue of ours by what its marker says, among those since a time, the newest first. GitLab's
/// search does not see comments.
///
/// # Errors
/// Those of GitLab.
pub(crate) fn find(project: &str, what: &str, since: Timestamp) -> Result<Option<Value>, ApiError> {
    let after = time::format(since.saturating_sub(LOOK_BACK_MS));
    let marker = text::marker(what);
    let per_page = PAGE.to_string();
    for page in 1..=PAGES_MAX {
        let page = page.to_string();
        let query = [
            ("scope", "created_by_me"),
            ("created_after", after.as_str()),
            ("order_by", "created_at"),
            ("sort", "desc"),
            ("per_page", per_page.as_str()),
            ("page", page.as_str()),
        ];
        let listed = api::get(&api::issues(project), &query)?;
        let issues = listed.as_array().map(Vec::as_slice).unwrap_or_default();
        let is_it = |it: &&Value| {
            it["description"]
                .as_str()
                .unwrap_or_default()
                .contains(&marker)
        };
        if let Some(found) = issues.iter().find(is_it) {
            return Ok(Some(found.clone()));
        }
        if issues.len() < PAGE {
            break;
        }
    }
    Ok(None)
}

/// Writes what differs. What may not be seen any more is hidden before anything else.
fn update(
    claim: &mut Claim,
    place: &Place,
    incident: &Incident,
    content: &Content,
) -> Result<(), Failure> {
    let issue = match api::get(&place.path(), &[]) {
        Err(ApiError::Missing(_)) => return gone(claim, place),
        result => result?,
    };
    if content.confidential && issue["confidential"] == false {
        let hide = json!({"confidential": true});
        put(claim, place, &hide, &format!("hide:{}", incident.revision))?;
    }
    let mut body = Map::new();
    if content.title != claim.row.title && content.title != issue["title"] {
        body.insert("title".into(), content.title.clone().into());
    }
    let description = issue["description"].as_str().unwrap_or_default();
    let described = content.described(description, &incident.id);
    if described != description {
        body.insert("description".into(), described.into());
    }
    let (added, removed) = content.labels_to_change(&issue["labels"]);
    for (name, labels) in [("add_labels", added), ("remove_labels", removed)] {
        if !labels.is_empty() {
            body.insert(name.into(), labels.into());
        }
    }
    let is_closed = issue["state"] == "closed";
    if content.is_over != claim.row.is_over && content.is_over != is_closed {
        let event = if content.is_over { "close" } else { "reopen" };
        body.insert("state_event".into(), event.into());
    }
    if !body.is_empty() && !claim.row.is_gone {
        let key = format!("update:{}:{:x}", incident.revision, content.digest());
        put(claim, place, &Value::Object(body), &key)?;
    }
    Ok(())
}

/// Writes an issue. It can be repeated, as it says how the issue is to be.
fn put(claim: &mut Claim, place: &Place, body: &Value, key: &str) -> Result<(), Failure> {
    let send = || api::write("PUT", &place.path(), body, key);
    let result = match send() {
        Err(ApiError::Lost(_)) => {
            http::forget(key);
            send()
        }
        other => other,
    };
    match result {
        Err(ApiError::Missing(_)) => gone(claim, place),
        result => Ok(result.map(drop)?),
    }
}

/// Somebody deleted or moved it on purpose, so it gets no successor.
fn gone(claim: &mut Claim, place: &Place) -> Result<(), Failure> {
    claim.row.is_gone = true;
    log::warn(
        "the issue of an incident is gone",
        &[("issue", &place.id())],
    );
    claim.save()
}
