//! The plugin, a fake host, and a page.

use crate::Statuspage as ThePlugin;
use std::cell::RefCell;
use std::rc::Rc;
use tocsin_plugin_sdk::Plugin;
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::testing::{FakeHost, change, event};
use tocsin_plugin_sdk::types::{
    Actor, Audience, EventBody, ExternalRef, Failure, Grade, Incident, Outcome, Status, Update,
};
use tocsin_standins::statuspage::{API, Incident as Shown, KEY, Mail, PAGE, SHOP, Statuspage};
use tocsin_standins::{Answered, Asked, Service, install};

/// Attempts after which a delivery should have ended.
const ATTEMPTS_MAX: u32 = 20;
const FIRST: &str = "in0000000001";

/// How one request fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Break {
    /// It is not carried out.
    Before,
    /// It is carried out, and the answer is lost.
    After,
}

/// The stand-in, of which one request may fail.
#[derive(Debug, Default)]
pub(crate) struct Faulty {
    pub(crate) inner: Statuspage,
    /// How many others come first.
    pub(crate) breaks: Option<(usize, Break)>,
}

impl Service for Faulty {
    fn answer(&mut self, asked: &Asked) -> Answered {
        let lost = || Answered::text(502, "");
        match self.breaks {
            Some((0, how)) => {
                self.breaks = None;
                if let Break::After = how {
                    self.inner.answer(asked);
                }
                return lost();
            }
            Some((others, how)) => self.breaks = Some((others - 1, how)),
            None => {}
        }
        self.inner.answer(asked)
    }
}

pub(crate) struct World {
    pub(crate) host: FakeHost,
    pub(crate) service: Rc<RefCell<Faulty>>,
}

impl World {
    pub(crate) fn start() -> Self {
        let credential = |right: &str, asked: &mut Asked| {
            let wanted = match asked.method.as_str() {
                "GET" => "read",
                "POST" => "create",
                _ => "change",
            };
            assert_eq!(right, wanted, "{} {}", asked.method, asked.path);
            asked.set_header("authorization", &format!("OAuth {KEY}"));
        };
        let (host, service) = install(Faulty::default(), credential);
        let components = json!({
            "checkout": SHOP, "cart": SHOP, "api": API, "billing": "nosuchcomponent",
        });
        for (key, value) in [
            ("base-url", "https://statuspage.example/v1/"),
            ("page-id", PAGE),
            ("components", &components.to_string()),
            ("name", "Service incident"),
            ("name-of-components", "Problems with {}"),
            ("resolved-text", "This incident has been resolved."),
        ] {
            host.set_config(key, value);
        }
        World { host, service }
    }

    /// Delivers an event once; the same id again is a retry.
    pub(crate) fn deliver(&self, id: &str, seq: u64, body: EventBody) -> Result<Outcome, Failure> {
        let delivery = self.host.begin(id);
        let mut event = event(id, body);
        event.seq = seq;
        ThePlugin::on_event(event, &delivery)
    }

    /// Delivers an event until it is not to be retried, each time as late as it asks for.
    pub(crate) fn insist(&self, id: &str, seq: u64, body: &EventBody) -> Result<Outcome, Failure> {
        for _ in 0..ATTEMPTS_MAX {
            match self.deliver(id, seq, body.clone()) {
                Err(Failure::Retry(hint)) => {
                    self.host.advance_ms(hint.after_ms.unwrap_or(1_000).max(1));
                }
                result => return result,
            }
        }
        panic!("{id} is still to be retried");
    }

    /// An update for the public, as the incident's event of that number.
    pub(crate) fn say(&self, it: &Incident, seq: u64, text: &str) -> Result<Outcome, Failure> {
        self.say_to(Audience::Public, it, seq, text)
    }

    pub(crate) fn say_to(
        &self,
        audience: Audience,
        it: &Incident,
        seq: u64,
        text: &str,
    ) -> Result<Outcome, Failure> {
        self.host.add_incident(it);
        let mut update = update(it, seq, text);
        update.audience = audience;
        let id = update.id.clone();
        self.deliver(&id, seq, EventBody::UpdatePosted(update))
    }

    /// A change after which the incident is as told.
    pub(crate) fn change(&self, before: &Incident, after: &Incident) -> Result<Outcome, Failure> {
        self.host.add_incident(after);
        self.hear(before, after)
    }

    /// As [`change`](Self::change), if the incident may have changed again since.
    pub(crate) fn hear(&self, before: &Incident, after: &Incident) -> Result<Outcome, Failure> {
        let id = format!("{}/{}/changed", after.id, after.revision);
        self.deliver(&id, after.revision, changed(before, after))
    }

    /// The requests that reached the page.
    pub(crate) fn requests(&self) -> usize {
        self.service.borrow().inner.seen.len()
    }

    /// All that was written to the page.
    pub(crate) fn sent(&self) -> String {
        let service = self.service.borrow();
        let bodies = service.inner.seen.iter().map(|it| &it.0.body);
        let bodies = bodies.map(|it| String::from_utf8_lossy(it).into_owned());
        bodies.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn incidents(&self) -> Vec<Shown> {
        self.service.borrow().inner.incidents.clone()
    }

    /// The page's only incident.
    pub(crate) fn only(&self) -> Shown {
        let mut all = self.incidents();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.service.borrow().inner.mails.clone()
    }

    /// The texts that subscribers got.
    pub(crate) fn mailed(&self) -> Vec<String> {
        self.mails().into_iter().map(|it| it.body).collect()
    }

    pub(crate) fn component(&self, id: &str) -> String {
        self.service.borrow().inner.component_status(id).into()
    }
}

pub(crate) fn update(it: &Incident, seq: u64, text: &str) -> Update {
    Update {
        id: format!("{}/{seq}", it.id),
        incident: it.clone(),
        audience: Audience::Public,
        author: Actor::by_contact("person", "ada"),
        body: text.into(),
        next_update_at: None,
        at: it.opened_at + seq * 60_000,
        extra: "{}".into(),
    }
}

pub(crate) fn changed(before: &Incident, after: &Incident) -> EventBody {
    EventBody::IncidentChanged(change(before, after, &[]))
}

/// A mail about the page's first incident.
pub(crate) fn mail(status: &str, body: &str) -> Mail {
    Mail {
        incident: FIRST.into(),
        status: status.into(),
        body: body.into(),
    }
}

/// The incident after one more change.
fn next(it: &Incident, edit: impl FnOnce(&mut Incident)) -> Incident {
    let mut next = it.clone();
    next.revision += 1;
    edit(&mut next);
    next
}

pub(crate) fn graded(it: &Incident, grade: Grade) -> Incident {
    next(it, |it| it.grade = grade)
}

pub(crate) fn mitigated(it: &Incident) -> Incident {
    next(it, |it| it.status = Status::Mitigated)
}

pub(crate) fn resolved(it: &Incident) -> Incident {
    next(it, |it| it.status = Status::Resolved)
}

pub(crate) fn reopened(it: &Incident) -> Incident {
    next(it, |it| it.status = Status::Open)
}

pub(crate) fn secret(it: &Incident) -> Incident {
    next(it, |it| it.security = true)
}

/// Another incident of the same service.
pub(crate) fn other(it: &Incident, grade: Grade) -> Incident {
    let mut other = graded(it, grade);
    (other.id, other.number) = ("43".into(), 43);
    other
}

/// The incident with its link to the page's first one.
pub(crate) fn with_link(it: &Incident) -> Incident {
    let mut it = it.clone();
    it.refs = vec![ExternalRef {
        plugin: "statuspage".into(),
        kind: "statuspage-incident".into(),
        id: FIRST.into(),
        url: None,
    }];
    it
}
