//! ntfy, with buttons that post to the daemon or to an answer topic.

use std::collections::BTreeSet;

use serde_json::Value;
use tocsin_standins::ntfy::Ntfy;
use tocsin_standins::{Asked, Loopback, Watch};

use crate::way::{Press, Purpose, Request, Way, local, of_the_guide};

/// As in the guide.
const ANSWERS: &str = "tocsin-answers-5hR2tB";

pub(crate) struct ByNtfy {
    server: Loopback<Ntfy>,
    by_topic: bool,
}

impl ByNtfy {
    pub(crate) fn start(by_topic: bool) -> Self {
        let server = Ntfy {
            // Phones publish to the answer topic without a password.
            is_private: !by_topic,
            ..Ntfy::default()
        };
        let server = Loopback::start(server).unwrap();
        Self { server, by_topic }
    }

    /// Topic and sequence id of each notification: a phone shows one for both.
    fn shown(&self) -> BTreeSet<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let service = self.server.service();
        let pages = service.messages.iter().filter(|it| it["topic"] != ANSWERS);
        let shown = pages.map(|it| (text(&it["topic"]), text(&it["sequence_id"])));
        shown.collect()
    }
}

impl Way for ByNtfy {
    fn plugin(&self) -> &'static str {
        "ntfy"
    }

    fn kind(&self) -> &'static str {
        "ntfy"
    }

    fn addresses(&self) -> [&'static str; 2] {
        ["ada-x7KqWz", "ada-tablet-Pq93Lm"]
    }

    fn url(&self) -> &str {
        self.server.url()
    }

    fn config(&self, _: &str, service: &str) -> Vec<String> {
        let words = if self.by_topic { ANSWERS } else { "NTFY_TOKEN" };
        let local = local("ntfy", &format!("base-url = {service:?}"));
        vec![of_the_guide(words), local]
    }

    fn watch(&self, watch: Watch) {
        self.server.watch(watch);
    }

    fn purpose(&self, asked: &Asked) -> Purpose {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/") => Purpose::Page,
            ("PUT", _) => Purpose::TakeBack,
            ("GET", path) if path.trim_matches('/') == format!("{ANSWERS}/json") => Purpose::Answer,
            _ => Purpose::Other,
        }
    }

    fn shown_at(&self, address: &str) -> usize {
        self.shown().iter().filter(|it| it.0 == address).count()
    }

    fn press(&self, address: &str) -> Press {
        let service = self.server.service();
        let mut messages = service.messages.iter().rev();
        let message = messages.find(|it| it["topic"] == address).unwrap();
        // A test is as loud as any page.
        assert_eq!(message["priority"], 5);
        let button = &message["actions"][0];
        assert_eq!(button["label"], "Acknowledge");
        assert_eq!(button["method"], "POST");
        Press::Request(Request {
            url: button["url"].as_str().unwrap().to_owned(),
            body: button["body"].as_str().unwrap_or_default().to_owned(),
            headers: Vec::new(),
        })
    }

    fn is_polled(&self) -> bool {
        self.by_topic
    }

    fn is_taken_back(&self) -> bool {
        let cleared = self.server.service().cleared.clone();
        self.shown().iter().all(|it| cleared.contains(it))
    }

    fn fail(&self, status: u16) {
        self.server.service().fault = Some(status);
    }
}
