//! A GitLab server's REST API, version 4: <https://docs.gitlab.com/api/rest/>. Projects, issues,
//! notes, links between issues and users, as far as a plugin writes or reads them, and what GitLab
//! does with texts that are written: it carries out quick actions and notifies whom they mention.

mod issues;
mod lists;
mod params;
mod shown;
mod texts;

use crate::{Answered, Asked, Service};
use params::Params;
use serde_json::{Value, json};

/// The token that the server accepts, of the user [`BOT`].
pub const TOKEN: &str = "glpat-0123456789abcdefghij";
/// The user whose token it is.
pub const BOT: &str = "project_7_bot_0123456789abcdef";

/// A project. The server begins with one.
#[derive(Clone, Debug)]
pub struct Project {
    pub id: u64,
    /// With its groups: `ops/incidents`.
    pub path: String,
}

/// An account.
#[derive(Clone, Debug)]
pub struct User {
    pub id: u64,
    pub username: String,
}

/// An issue. Times are in seconds since 1970.
#[derive(Clone, Debug, Default)]
pub struct Issue {
    /// Unique on the server.
    pub id: u64,
    /// Unique in the project.
    pub iid: u64,
    pub project: u64,
    pub title: String,
    pub description: String,
    pub labels: Vec<String>,
    pub confidential: bool,
    pub is_closed: bool,
    pub issue_type: String,
    pub author: String,
    /// Ids of users.
    pub assignees: Vec<u64>,
    pub created_s: u64,
    pub updated_s: u64,
    pub notes: Vec<Note>,
}

/// A comment.
#[derive(Clone, Debug, Default)]
pub struct Note {
    pub id: u64,
    pub body: String,
    pub author: String,
    pub internal: bool,
    pub created_s: u64,
}

/// What every request gets instead of an answer.
#[derive(Clone, Debug)]
pub struct Fault {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Value,
}

/// The server.
#[derive(Clone, Debug)]
pub struct GitLab {
    /// Where the server is, for links in answers.
    pub url: String,
    /// Before `/api/v4`, for a server under a relative URL: `/gitlab`.
    pub prefix: String,
    pub projects: Vec<Project>,
    pub users: Vec<User>,
    pub issues: Vec<Issue>,
    /// Pairs of ids of issues.
    pub links: Vec<(u64, u64)>,
    /// Seconds since 1970, of what is written next.
    pub now_s: u64,
    pub fault: Option<Fault>,
    /// Whether the token may only read.
    pub is_read_only: bool,
    /// The quick actions that written texts had, such as `close`.
    pub quick_actions: Vec<String>,
    /// Whom written texts mentioned: GitLab notifies them.
    pub mentioned: Vec<String>,
    /// Whether each accepted write of an issue left it confidential, oldest first.
    pub writes: Vec<(u64, bool)>,
    /// The id of what was written last.
    pub last_id: u64,
}

impl Default for GitLab {
    fn default() -> Self {
        let user = |(id, name): (u64, &str)| User {
            id,
            username: name.into(),
        };
        Self {
            url: "https://gitlab.example".into(),
            prefix: String::new(),
            projects: vec![Project {
                id: 7,
                path: "ops/incidents".into(),
            }],
            users: [(90, BOT), (51, "ada"), (52, "bob")].map(user).into(),
            issues: Vec::new(),
            links: Vec::new(),
            now_s: 0,
            fault: None,
            is_read_only: false,
            quick_actions: Vec::new(),
            mentioned: Vec::new(),
            writes: Vec::new(),
            last_id: 1000,
        }
    }
}

type Answer = Result<Answered, Answered>;

impl Service for GitLab {
    fn set_time(&mut self, now_s: u64) {
        self.now_s = now_s;
    }

    fn answer(&mut self, asked: &Asked) -> Answered {
        if let Some(fault) = &self.fault {
            let mut answered = Answered::json(fault.status, &fault.body);
            answered.headers.extend(fault.headers.clone());
            return answered;
        }
        self.routed(asked).unwrap_or_else(|refused| refused)
    }
}

impl GitLab {
    fn routed(&mut self, asked: &Asked) -> Answer {
        let api = format!("{}/api/v4/", self.prefix);
        let path = asked.path.strip_prefix(&api).ok_or_else(no_route)?;
        self.authorize(asked)?;
        let parts: Vec<&str> = path.split('/').collect();
        match (asked.method.as_str(), &parts[..]) {
            ("GET", ["version"]) => {
                let version = json!({"version": "18.5.0", "revision": "0123abc"});
                Ok(Answered::json(200, &version))
            }
            ("GET", ["user"]) => Ok(Answered::json(200, &self.user(BOT))),
            ("GET", ["users"]) => self.list_users(asked),
            (_, ["projects", id, rest @ ..]) => {
                let project = self.project(id)?;
                self.in_project(asked, &project, rest)
            }
            _ => Err(no_route()),
        }
    }

    fn in_project(&mut self, asked: &Asked, project: &Project, rest: &[&str]) -> Answer {
        let issue = |iid: &&str| self.place(project.id, iid);
        match (asked.method.as_str(), rest) {
            ("GET", []) => Ok(Answered::json(200, &self.shown_project(project))),
            ("GET", ["issues"]) => self.list_issues(asked, project.id),
            ("POST", ["issues"]) => self.create_issue(&Params::of(asked)?, project.id),
            ("GET", ["issues", iid]) => {
                let at = issue(iid)?;
                Ok(Answered::json(200, &self.shown_issue(&self.issues[at])))
            }
            ("PUT", ["issues", iid]) => {
                let at = issue(iid)?;
                self.update_issue(&Params::of(asked)?, at)
            }
            ("GET", ["issues", iid, "notes"]) => {
                let at = issue(iid)?;
                self.list_notes(asked, at)
            }
            ("POST", ["issues", iid, "notes"]) => {
                let at = issue(iid)?;
                self.create_note(&Params::of(asked)?, at)
            }
            ("GET", ["issues", iid, "links"]) => {
                let at = issue(iid)?;
                Ok(self.list_links(at))
            }
            ("POST", ["issues", iid, "links"]) => {
                let at = issue(iid)?;
                self.create_link(&Params::of(asked)?, at)
            }
            _ => Err(no_route()),
        }
    }

    fn authorize(&self, asked: &Asked) -> Result<(), Answered> {
        let token = asked.headers.get("private-token");
        let bearer = asked.headers.get("authorization");
        let bearer = bearer.and_then(|it| it.strip_prefix("Bearer "));
        let given = token.map(String::as_str).or(bearer);
        if given != Some(TOKEN) {
            return Err(message(401, "401 Unauthorized"));
        }
        if self.is_read_only && asked.method != "GET" {
            let why = "The request requires higher privileges than provided by the access token.";
            let body = json!({"error": "insufficient_scope", "error_description": why,
                "scope": "api"});
            return Err(Answered::json(403, &body));
        }
        Ok(())
    }

    /// By its id, or by its path, in which `/` is encoded.
    fn project(&self, id: &str) -> Result<Project, Answered> {
        let path = id.replace("%2F", "/").replace("%2f", "/");
        let mut projects = self.projects.iter();
        let found = projects.find(|it| it.path == path || it.id.to_string() == id);
        found
            .cloned()
            .ok_or_else(|| message(404, "404 Project Not Found"))
    }

    /// Where an issue is in the list.
    fn place(&self, project: u64, iid: &str) -> Result<usize, Answered> {
        let iid: u64 = iid
            .parse()
            .map_err(|_| error(400, "issue_iid is invalid"))?;
        let mut issues = self.issues.iter();
        let found = issues.position(|it| it.project == project && it.iid == iid);
        found.ok_or_else(|| message(404, "404 Not found"))
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }
}

fn no_route() -> Answered {
    error(404, "404 Not Found")
}

/// A refusal by the API.
fn error(status: u16, why: &str) -> Answered {
    Answered::json(status, &json!({"error": why}))
}

/// A refusal by GitLab behind it.
fn message(status: u16, why: &str) -> Answered {
    Answered::json(status, &json!({"message": why}))
}

/// A refusal of a value of an attribute.
fn invalid(attribute: &str, why: &str) -> Answered {
    Answered::json(400, &json!({"message": {attribute: [why]}}))
}
