//! Pushover: acknowledged in its app, which the plugin reads.

use tocsin_standins::pushover::{Pushover, USERS};
use tocsin_standins::{Asked, Loopback, Watch};

use crate::way::{Press, Purpose, Way, local, of_the_guide};

pub(crate) struct ByPushover(Loopback<Pushover>);

impl ByPushover {
    pub(crate) fn start() -> Self {
        Self(Loopback::start(Pushover::default()).unwrap())
    }
}

impl Way for ByPushover {
    fn plugin(&self) -> &'static str {
        "pushover"
    }

    fn kind(&self) -> &'static str {
        "pushover"
    }

    fn addresses(&self) -> [&'static str; 2] {
        USERS
    }

    fn url(&self) -> &str {
        self.0.url()
    }

    fn config(&self, _: &str, service: &str) -> Vec<String> {
        let local = local("pushover", &format!("base-url = {service:?}"));
        vec![of_the_guide("PUSHOVER_TOKEN"), local]
    }

    fn watch(&self, watch: Watch) {
        self.0.watch(watch);
    }

    fn purpose(&self, asked: &Asked) -> Purpose {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("POST", "/1/messages.json") => Purpose::Page,
            ("POST", path) if path.ends_with("/cancel.json") => Purpose::TakeBack,
            ("GET", path) if path.starts_with("/1/receipts/") => Purpose::Answer,
            _ => Purpose::Other,
        }
    }

    fn shown_at(&self, address: &str) -> usize {
        let service = self.0.service();
        let receipts = service.receipts.values();
        let shown = receipts.filter(|it| it.user == address && !it.is_replaced);
        shown.count()
    }

    fn notice(&self) {
        for receipt in self.0.service().receipts.values_mut() {
            receipt.last_delivered_at = 1;
        }
    }

    fn tells_seen(&self) -> bool {
        true
    }

    fn press(&self, address: &str) -> Press {
        let mut service = self.0.service();
        assert!(service.messages.iter().all(|it| it["priority"] == "2"));
        let sounding = service.receipts.values_mut().filter(|it| !it.is_canceled);
        for receipt in sounding {
            receipt.acknowledged_by = Some(address.to_owned());
        }
        Press::InService
    }

    fn is_polled(&self) -> bool {
        true
    }

    fn is_taken_back(&self) -> bool {
        self.0.service().receipts.values().all(|it| it.is_canceled)
    }

    fn fail(&self, status: u16) {
        self.0.service().fault = Some(status);
    }
}
