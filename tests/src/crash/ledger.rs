//! What the program was asked and what it answered, kept outside of it. Only what it answered
//! with success must be there; what was asked without an answer may be, and a repeat under the
//! same key must not make two of it.

use std::collections::BTreeMap;

/// What somebody did to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Ack,
    Resolve,
}

/// What is known of one alert.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Word {
    /// The last state that was answered with success: whether it fires.
    pub(super) answered: Option<bool>,
    /// The state that was asked for since.
    pub(super) asked: Option<bool>,
}

/// What is known of what was asked once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Once {
    /// Whether it was answered with success.
    pub(super) answered: bool,
    /// How often it was asked.
    pub(super) tries: u32,
}

/// What the program was asked and what it answered.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// By service and name.
    pub(super) alerts: BTreeMap<(String, String), Word>,
    pub(super) acts: BTreeMap<(String, Act), Once>,
    /// Lines of logs, each unlike every other, with their service.
    pub(super) lines: BTreeMap<String, (String, Once)>,
    /// Titles of incidents that were opened by hand, each unlike every other.
    pub(super) opened: BTreeMap<String, Once>,
    /// Requests that were answered with success.
    pub(super) answers: u64,
    /// Requests that were not answered.
    pub(super) unanswered: u64,
}

impl Ledger {
    /// An alert is about to be sent, to fire or to end.
    pub fn asks_alert(&mut self, service: &str, name: &str, firing: bool) {
        self.word(service, name).asked = Some(firing);
    }

    /// An alert was answered with success.
    pub fn alert_answered(&mut self, service: &str, name: &str, firing: bool) {
        *self.word(service, name) = Word {
            answered: Some(firing),
            asked: None,
        };
    }

    /// Somebody is about to do something to a service's incident.
    pub fn asks_act(&mut self, service: &str, act: Act) {
        let once = self.acts.entry((service.to_owned(), act)).or_default();
        once.tries += 1;
    }

    /// It was answered with success.
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

    /// It was answered with success.
    pub fn line_answered(&mut self, body: &str) {
        if let Some((_, once)) = self.lines.get_mut(body) {
            once.answered = true;
        }
    }

    /// An incident is about to be opened by hand.
    pub fn asks_open(&mut self, title: &str) {
        self.opened.entry(title.to_owned()).or_default().tries += 1;
    }

    /// It was answered with success.
    pub fn open_answered(&mut self, title: &str) {
        self.opened.entry(title.to_owned()).or_default().answered = true;
    }

    /// How many different alerts were answered.
    #[must_use]
    pub fn alerts_answered(&self) -> usize {
        self.alerts
            .values()
            .filter(|it| it.answered.is_some())
            .count()
    }

    fn word(&mut self, service: &str, name: &str) -> &mut Word {
        let key = (service.to_owned(), name.to_owned());
        self.alerts.entry(key).or_default()
    }
}
