//! What writes issues, notes and links.

use super::params::Params;
use super::{Answer, Answered, BOT, GitLab, Issue, Note, error, invalid, message};
use serde_json::json;

const TITLE_CHARS_MAX: usize = 255;
const DESCRIPTION_CHARS_MAX: usize = 1 << 20;
const NOTE_CHARS_MAX: usize = 1_000_000;
const TYPES: [&str; 6] = [
    "issue",
    "incident",
    "test_case",
    "requirement",
    "task",
    "ticket",
];
/// What both creating and updating take, as far as it is implemented.
const FIELDS: [&str; 8] = [
    "title",
    "description",
    "labels",
    "add_labels",
    "remove_labels",
    "confidential",
    "issue_type",
    "assignee_ids",
];

impl GitLab {
    pub(super) fn create_issue(&mut self, params: &Params, project: u64) -> Answer {
        params.only(&FIELDS);
        params.required("title")?;
        let of_project = self.issues.iter().filter(|it| it.project == project);
        let issue = Issue {
            iid: of_project.map(|it| it.iid).max().unwrap_or(0) + 1,
            project,
            issue_type: "issue".into(),
            author: BOT.into(),
            created_s: self.now_s,
            ..Issue::default()
        };
        let mut issue = self.written(params, issue)?;
        issue.id = self.next_id();
        self.issues.push(issue.clone());
        Ok(Answered::json(201, &self.shown_issue(&issue)))
    }

    pub(super) fn update_issue(&mut self, params: &Params, at: usize) -> Answer {
        params.only(&[&FIELDS[..], &["state_event"]].concat());
        let fields = [&FIELDS[..], &["state_event"]].concat();
        if !fields.iter().any(|it| params.has(it)) {
            let why = format!(
                "{} are missing, at least one parameter must be provided",
                fields.join(", ")
            );
            return Err(error(400, &why));
        }
        let event = params.one_of("state_event", &["reopen", "close"])?;
        let mut issue = self.written(params, self.issues[at].clone())?;
        match event.as_deref() {
            Some("close") => issue.is_closed = true,
            Some(_) => issue.is_closed = false,
            None => {}
        }
        self.issues[at] = issue.clone();
        Ok(Answered::json(200, &self.shown_issue(&issue)))
    }

    /// The issue with the parameters that creating and updating share.
    fn written(&mut self, params: &Params, mut issue: Issue) -> Result<Issue, Answered> {
        if let Some(title) = params.text("title")? {
            if title.trim().is_empty() {
                return Err(invalid("title", "can't be blank"));
            }
            if title.chars().count() > TITLE_CHARS_MAX {
                return Err(invalid("title", "is too long (maximum is 255 characters)"));
            }
            self.note_mentions(&title);
            issue.title = title;
        }
        if let Some(kind) = params.one_of("issue_type", &TYPES)? {
            issue.issue_type = kind;
        }
        if let Some(truth) = params.truth("confidential")? {
            issue.confidential = truth;
        }
        if let Some(labels) = params.texts("labels")? {
            issue.labels = labels;
        }
        let added = params.texts("add_labels")?.unwrap_or_default();
        let removed = params.texts("remove_labels")?.unwrap_or_default();
        issue.labels.retain(|it| !removed.contains(it));
        issue.labels.extend(added);
        issue.labels.sort();
        issue.labels.dedup();
        if let Some(ids) = params.numbers("assignee_ids")? {
            // GitLab leaves out whoever is not a member.
            let is_known = |id: &u64| self.users.iter().any(|it| it.id == *id);
            issue.assignees = ids.into_iter().filter(is_known).take(1).collect();
        }
        if let Some(description) = params.text("description")? {
            if description.chars().count() > DESCRIPTION_CHARS_MAX {
                let why = "is too long (maximum is 1048576 characters)";
                return Err(invalid("description", why));
            }
            issue.description = self.take(&description, &mut issue.is_closed);
        }
        issue.updated_s = self.now_s;
        self.writes.push((issue.iid, issue.confidential));
        Ok(issue)
    }

    pub(super) fn create_note(&mut self, params: &Params, at: usize) -> Answer {
        params.only(&["body", "internal", "created_at"]);
        let body = params.required("body")?;
        let internal = params.truth("internal")?.unwrap_or(false);
        if body.trim().is_empty() {
            let why = "400 Bad request - Note {:note=>[\"can't be blank\"]}";
            return Err(message(400, why));
        }
        if body.chars().count() > NOTE_CHARS_MAX {
            let why = "400 Bad request - Note {:note=>[\"is too long (maximum is 1000000 \
                       characters)\"]}";
            return Err(message(400, why));
        }
        let mut is_closed = self.issues[at].is_closed;
        let note = Note {
            id: self.next_id(),
            body: self.take(&body, &mut is_closed),
            author: BOT.into(),
            internal,
            created_s: self.now_s,
        };
        let issue = &mut self.issues[at];
        issue.is_closed = is_closed;
        issue.notes.push(note.clone());
        self.writes.push((issue.iid, issue.confidential));
        let shown = self.shown_note(&note, &self.issues[at]);
        Ok(Answered::json(201, &shown))
    }

    pub(super) fn create_link(&mut self, params: &Params, at: usize) -> Answer {
        params.only(&["target_project_id", "target_issue_iid", "link_type"]);
        let project = params.required("target_project_id")?;
        let iid = params.required("target_issue_iid")?;
        let kinds = ["relates_to", "blocks", "is_blocked_by"];
        params.one_of("link_type", &kinds)?;
        let project = self.project(&project)?;
        let target = &self.issues[self.place(project.id, &iid)?];
        let source = &self.issues[at];
        let pair = (source.id, target.id);
        let is_linked = |it: &(u64, u64)| *it == pair || *it == (pair.1, pair.0);
        if pair.0 == pair.1 || self.links.iter().any(is_linked) {
            return Err(message(409, "Issue(s) already assigned"));
        }
        let body = json!({"source_issue": self.shown_issue(source),
            "target_issue": self.shown_issue(target), "link_type": "relates_to"});
        self.links.push(pair);
        Ok(Answered::json(201, &body))
    }
}
