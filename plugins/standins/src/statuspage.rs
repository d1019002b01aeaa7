//! Atlassian Statuspage, API v1: <https://developer.statuspage.io/>. One page with its components,
//! its incidents, their updates and post-mortems, and the mails to its subscribers.

mod checks;
mod incident;

pub use incident::{Component, Incident, Mail, Update};

use crate::{Answered, Asked, Service};
use incident::Postmortem;
use serde_json::{Value, json};
use std::collections::VecDeque;

/// The key of the API.
pub const KEY: &str = "89a229ce1a8dbcf9ff30430fbe35eb4c0426574bca932061892cefd2138aa4b1";
/// The page.
pub const PAGE: &str = "kctbh9vrtdwd";
/// Its components: shop and API.
pub const SHOP: &str = "8kbf7d35c070";
pub const API: &str = "vtnh60py4yd7";

const REQUESTS_MAX: usize = 60;
const WINDOW_S: u64 = 60;
const LISTED_MAX: usize = 100;

/// The service.
#[derive(Clone, Debug)]
pub struct Statuspage {
    pub components: Vec<Component>,
    /// Oldest first.
    pub incidents: Vec<Incident>,
    /// What subscribers got, oldest first.
    pub mails: Vec<Mail>,
    /// Seconds since 1970.
    pub now_s: u64,
    /// Respond to every request with this status.
    pub fault: Option<u16>,
    /// The status above 60 requests in 60 s, 420 or 429; none: they are not counted.
    pub limited: Option<u16>,
    /// Every request with its answer, oldest first.
    pub seen: Vec<(Asked, Answered)>,
    taken_at_s: VecDeque<u64>,
    made: usize,
}

impl Default for Statuspage {
    fn default() -> Self {
        let component = |id: &str, name: &str| Component {
            id: id.into(),
            name: name.into(),
            status: "operational".into(),
        };
        Self {
            components: vec![component(SHOP, "Shop"), component(API, "API")],
            incidents: Vec::new(),
            mails: Vec::new(),
            now_s: 0,
            fault: None,
            limited: None,
            seen: Vec::new(),
            taken_at_s: VecDeque::new(),
            made: 0,
        }
    }
}

impl Service for Statuspage {
    fn set_time(&mut self, now_s: u64) {
        self.now_s = now_s;
    }

    fn answer(&mut self, asked: &Asked) -> Answered {
        let answered = self.checked(asked).unwrap_or_else(|refused| refused);
        self.seen.push((asked.clone(), answered.clone()));
        answered
    }
}

/// An answer, or a refusal.
type Outcome = Result<Answered, Answered>;

impl Statuspage {
    /// The status of a component as the page shows it.
    #[must_use]
    pub fn component_status(&self, id: &str) -> &str {
        let found = self.components.iter().find(|it| it.id == id);
        found.map_or("", |it| &it.status)
    }

    fn checked(&mut self, asked: &Asked) -> Outcome {
        if let Some(status) = self.fault {
            return Err(refused(status, "a fault"));
        }
        let key = asked.headers.get("authorization").map(String::as_str);
        if key != Some(&format!("OAuth {KEY}")) {
            return Err(refused(401, "Could not authenticate"));
        }
        self.count()?;
        let path = asked.path.strip_prefix("/v1/pages/").unwrap_or_default();
        let parts: Vec<&str> = path.split('/').collect();
        let Some((&PAGE, rest)) = parts.split_first() else {
            return Err(not_found());
        };
        match (asked.method.as_str(), rest) {
            ("GET", []) => Ok(Answered::json(
                200,
                &json!({"id": PAGE, "name": "Shop status", "time_zone": "UTC"}),
            )),
            (_, ["components", rest @ ..]) => self.component(asked, rest),
            ("GET", ["incidents"]) => self.list(asked, "limit", |_| true),
            ("GET", ["incidents", "unresolved"]) => {
                self.list(asked, "per_page", |it| it.status != "resolved")
            }
            ("POST", ["incidents"]) => self.create(asked),
            (_, ["incidents", id, rest @ ..]) => {
                let at = self.incidents.iter().position(|it| it.id == *id);
                let at = at.ok_or_else(not_found)?;
                match (asked.method.as_str(), rest) {
                    ("GET", []) => Ok(Answered::json(200, &self.shown(&self.incidents[at]))),
                    ("PATCH", []) => self.change(at, asked),
                    (_, ["postmortem", rest @ ..]) => self.postmortem(at, asked, rest),
                    _ => Err(not_found()),
                }
            }
            _ => Err(not_found()),
        }
    }

    fn count(&mut self) -> Result<(), Answered> {
        let Some(status) = self.limited else {
            return Ok(());
        };
        let is_old = |it: &u64| it + WINDOW_S <= self.now_s;
        while self.taken_at_s.front().is_some_and(is_old) {
            self.taken_at_s.pop_front();
        }
        if self.taken_at_s.len() >= REQUESTS_MAX {
            return Err(refused(status, "Rate limit exceeded"));
        }
        self.taken_at_s.push_back(self.now_s);
        Ok(())
    }

    fn component(&mut self, asked: &Asked, rest: &[&str]) -> Outcome {
        let (method, id) = match rest {
            [] if asked.method == "GET" => {
                let all: Vec<Value> = self.components.iter().map(Component::shown).collect();
                return Ok(Answered::json(200, &all.into()));
            }
            [id] => (asked.method.as_str(), *id),
            _ => return Err(not_found()),
        };
        let found = self.components.iter_mut().find(|it| it.id == id);
        let found = found.ok_or_else(not_found)?;
        match method {
            "GET" => {}
            "PATCH" => {
                let fields = checks::object(asked, "component")?;
                checks::one_of(&fields["status"], "status", &checks::COMPONENT_STATUSES)?;
                if let Some(status) = fields["status"].as_str() {
                    found.status = status.into();
                }
            }
            _ => return Err(not_found()),
        }
        Ok(Answered::json(200, &found.shown()))
    }

    /// Newest first, a page at a time.
    fn list(&self, asked: &Asked, size: &str, takes: impl Fn(&Incident) -> bool) -> Outcome {
        let number = |key: &str, otherwise: usize| match asked.query.get(key) {
            None => Ok(otherwise),
            Some(text) => text
                .parse()
                .map_err(|_| refused(400, &format!("{key} is invalid"))),
        };
        let size = number(size, LISTED_MAX)?.min(LISTED_MAX);
        let skipped = number("page", 1)?.saturating_sub(1) * size;
        let found = self.incidents.iter().rev().filter(|it| takes(it));
        let found = found.skip(skipped).take(size);
        let shown: Vec<Value> = found.map(|it| self.shown(it)).collect();
        Ok(Answered::json(200, &shown.into()))
    }

    fn create(&mut self, asked: &Asked) -> Outcome {
        let fields = checks::object(asked, "incident")?;
        checks::incident(&fields, &self.components)?;
        if fields["name"].as_str().is_none_or(str::is_empty) {
            return Err(refused(422, "name can't be blank"));
        }
        self.made += 1;
        let mut incident = Incident::new(format!("in{:010}", self.made), self.now_s);
        incident.status = "investigating".into();
        self.apply(&mut incident, &fields, true);
        let shown = self.shown(&incident);
        self.incidents.push(incident);
        Ok(Answered::json(201, &shown))
    }

    fn change(&mut self, at: usize, asked: &Asked) -> Outcome {
        let fields = checks::object(asked, "incident")?;
        checks::incident(&fields, &self.components)?;
        if fields["name"].as_str().is_some_and(str::is_empty) {
            return Err(refused(422, "name can't be blank"));
        }
        let mut incident = self.incidents[at].clone();
        self.apply(&mut incident, &fields, false);
        let shown = self.shown(&incident);
        self.incidents[at] = incident;
        Ok(Answered::json(200, &shown))
    }

    fn apply(&mut self, incident: &mut Incident, fields: &Value, is_new: bool) {
        let said = incident.apply(fields, self.now_s, is_new);
        let changes = fields["components"].as_object();
        for (id, status) in changes.into_iter().flatten() {
            let mut all = self.components.iter_mut();
            if let Some(found) = all.find(|it| it.id == *id) {
                found.status = status.as_str().unwrap_or_default().into();
            }
        }
        if let Some(update) = said.filter(|it| it.deliver_notifications) {
            self.mails.push(Mail {
                incident: incident.id.clone(),
                status: update.status,
                body: update.body,
            });
        }
    }

    fn postmortem(&mut self, at: usize, asked: &Asked, rest: &[&str]) -> Outcome {
        let incident = &mut self.incidents[at];
        match (asked.method.as_str(), rest) {
            ("GET", []) => {}
            ("PUT", []) => {
                let fields = checks::object(asked, "postmortem")?;
                let draft = fields["body_draft"].as_str();
                let draft = draft.ok_or_else(|| refused(422, "body_draft is required"))?;
                let postmortem = incident.postmortem.get_or_insert(Postmortem::default());
                postmortem.draft = draft.into();
            }
            ("PUT", ["publish"]) => {
                let postmortem = incident.postmortem.as_mut().ok_or_else(not_found)?;
                postmortem.published = Some(postmortem.draft.clone());
                postmortem.published_at_s = self.now_s;
            }
            _ => return Err(not_found()),
        }
        let postmortem = incident.postmortem.as_ref().ok_or_else(not_found)?;
        Ok(Answered::json(200, &postmortem.shown()))
    }

    fn shown(&self, incident: &Incident) -> Value {
        incident.shown(PAGE, &self.components)
    }
}

fn not_found() -> Answered {
    refused(404, "The requested resource could not be found.")
}

fn refused(status: u16, why: &str) -> Answered {
    Answered::json(status, &json!({"message": why}))
}
