//! Answers in the form of GitLab's API.

use super::{GitLab, Issue, Note, Project};
use chrono::DateTime;
use serde_json::{Value, json};

pub(super) fn time(at_s: u64) -> String {
    let at = i64::try_from(at_s).ok();
    let at = at.and_then(|it| DateTime::from_timestamp(it, 0));
    at.map_or_else(String::new, |it| {
        it.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    })
}

impl GitLab {
    fn web(&self, path: &str) -> String {
        format!("{}{}/{path}", self.url, self.prefix)
    }

    pub(super) fn user(&self, username: &str) -> Value {
        let found = self.users.iter().find(|it| it.username == username);
        let id = found.map_or(0, |it| it.id);
        json!({"id": id, "username": username, "name": username, "state": "active",
            "web_url": self.web(username)})
    }

    pub(super) fn shown_project(&self, project: &Project) -> Value {
        let name = project.path.rsplit('/').next().unwrap_or_default();
        json!({"id": project.id, "name": name, "path": name, "default_branch": "main",
            "path_with_namespace": project.path, "issues_enabled": true,
            "web_url": self.web(&project.path)})
    }

    pub(super) fn shown_issue(&self, issue: &Issue) -> Value {
        let project = self.projects.iter().find(|it| it.id == issue.project);
        let path = project.map_or("", |it| it.path.as_str());
        let assignees = self.users.iter();
        let assignees = assignees.filter(|it| issue.assignees.contains(&it.id));
        let assignees: Vec<_> = assignees.map(|it| self.user(&it.username)).collect();
        let state = if issue.is_closed { "closed" } else { "opened" };
        let folder = match issue.issue_type.as_str() {
            "incident" => "issues/incident",
            _ => "issues",
        };
        json!({
            "id": issue.id, "iid": issue.iid, "project_id": issue.project, "title": issue.title,
            "description": issue.description, "state": state, "labels": issue.labels,
            "confidential": issue.confidential, "issue_type": issue.issue_type,
            "type": issue.issue_type.to_uppercase(), "author": self.user(&issue.author),
            "assignees": assignees, "milestone": null, "moved_to_id": null,
            "created_at": time(issue.created_s), "updated_at": time(issue.updated_s),
            "closed_at": issue.is_closed.then(|| time(issue.updated_s)),
            "user_notes_count": issue.notes.len(),
            "web_url": self.web(&format!("{path}/-/{folder}/{}", issue.iid)),
            "references": {
                "short": format!("#{}", issue.iid),
                "full": format!("{path}#{}", issue.iid),
            },
        })
    }

    pub(super) fn shown_note(&self, note: &Note, issue: &Issue) -> Value {
        json!({"id": note.id, "body": note.body, "author": self.user(&note.author),
            "system": false, "internal": note.internal, "confidential": note.internal,
            "noteable_type": "Issue", "noteable_id": issue.id, "noteable_iid": issue.iid,
            "project_id": issue.project, "created_at": time(note.created_s),
            "updated_at": time(note.created_s)})
    }
}
