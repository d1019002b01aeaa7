//! A record of the requests to the program and its responses, kept outside of it. Everything that
//! got a success response must be in the store; a request without a response may be, but its
//! retries under the same key must not take effect twice.

use std::collections::BTreeMap;

use tocsin_core::Timestamp;

/// An action on an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Ack,
    Resolve,
}

/// The state of one alert.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AlertEntry {
    /// Whether it fires, in the last request with a success response.
    pub(super) answered: Option<bool>,
    /// The state in a later request without a response.
    pub(super) asked: Option<bool>,
}

/// The state of a request that must take effect once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Once {
    /// Whether it got a success response.
    pub(super) answered: bool,
    /// How often it was sent.
    pub(super) tries: u32,
}

/// An override that somebody asked for.
#[derive(Clone, Debug)]
pub(super) struct OverrideEntry {
    pub(super) rotation: String,
    pub(super) person: String,
    pub(super) until: Timestamp,
    pub(super) once: Once,
}

#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// By service and name.
    pub(super) alerts: BTreeMap<(String, String), AlertEntry>,
    pub(super) acts: BTreeMap<(String, Act), Once>,
    /// Log lines, all distinct, with their service.
    pub(super) lines: BTreeMap<String, (String, Once)>,
    /// Titles of incidents that were opened by hand, all distinct.
    pub(super) opened: BTreeMap<String, Once>,
    /// Overrides of rotations, by their reasons, all distinct.
    pub(super) overrides: BTreeMap<String, OverrideEntry>,
    /// Requests with a success response.
    pub(super) answers: u64,
    /// Requests without a response.
    pub(super) unanswered: u64,
}

impl Ledger {
    /// An alert is about to be sent, to fire or to end.
    pub fn asks_alert(&mut self, service: &str, name: &str, firing: bool) {
        self.word(service, name).asked = Some(firing);
    }

    /// An alert got a success response.
    pub fn alert_answered(&mut self, service: &str, name: &str, firing: bool) {
        *self.word(service, name) = AlertEntry {
            answered: Some(firing),
            asked: None,
        };
    }

    /// Somebody is about to do something to a service's incident.
    pub fn asks_act(&mut self, service: &str, act: Act) {
        let once = self.acts.entry((service.to_owned(), act)).or_default();
        once.tries += 1;
    }

    /// It got a success response.
    pub fn act_answered(&mut self, service: &str, act: Act) {
        let once = self.acts.entry((service.to_owned(), act)).or_default();
        once.answered = true;
    }

    /// A line of a log is about to be written.
    pub fn asks_line(&mut self, service: &str, body: &str) {
        let known = self.lines.entry(body.to_owned());
        let known = known.or_insert_with(|| (service.to_owned(), Once::default()));
        known.1.tries += 1;
    }

    /// It got a success response.
    pub fn line_answered(&mut self, body: &str) {
        if let Some((_, once)) = self.lines.get_mut(body) {
            once.answered = true;
        }
    }

    /// An incident is about to be opened by hand.
    pub fn asks_open(&mut self, title: &str) {
        self.opened.entry(title.to_owned()).or_default().tries += 1;
    }

    /// It got a success response.
    pub fn open_answered(&mut self, title: &str) {
        self.opened.entry(title.to_owned()).or_default().answered = true;
    }

    /// Somebody is about to be put on call.
    pub fn asks_override(
        &mut self,
        reason: &str,
        (rotation, person): (&str, &str),
        until: Timestamp,
    ) {
        let known = self.overrides.entry(reason.to_owned());
        let known = known.or_insert_with(|| OverrideEntry {
            rotation: rotation.to_owned(),
            person: person.to_owned(),
            until,
            once: Once::default(),
        });
        known.once.tries += 1;
    }

    /// It got a success response.
    pub fn override_answered(&mut self, reason: &str) {
        if let Some(over) = self.overrides.get_mut(reason) {
            over.once.answered = true;
        }
    }

    /// How many distinct alerts got a success response.
    #[must_use]
    pub fn alerts_answered(&self) -> usize {
        self.alerts
            .values()
            .filter(|it| it.answered.is_some())
            .count()
    }

    /// How many overrides got a success response.
    #[must_use]
    pub fn overrides_answered(&self) -> usize {
        let overrides = self.overrides.values();
        overrides.filter(|it| it.once.answered).count()
    }

    fn word(&mut self, service: &str, name: &str) -> &mut AlertEntry {
        let key = (service.to_owned(), name.to_owned());
        self.alerts.entry(key).or_default()
    }
}
