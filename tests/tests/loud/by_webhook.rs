//! The webhook plugin with the guide's recipe for Telegram, whose button opens the acknowledge
//! link.

use serde_json::Value;
use tocsin_standins::chat::{Chat, Kind};
use tocsin_standins::{Asked, Loopback, Watch};

use crate::way::{Press, Purpose, Request, Way, local, of_the_guide};

pub(crate) struct ByWebhook(Loopback<Chat>);

impl ByWebhook {
    pub(crate) fn start() -> Self {
        Self(Loopback::start(Chat::new(Kind::Telegram)).unwrap())
    }

    fn sent_to(&self, address: &str) -> Vec<Value> {
        let service = self.0.service();
        let messages = service
            .messages
            .iter()
            .filter(|it| it["chat_id"] == address);
        messages.cloned().collect()
    }
}

impl Way for ByWebhook {
    fn plugin(&self) -> &'static str {
        "webhook"
    }

    fn kind(&self) -> &'static str {
        "webhook"
    }

    fn addresses(&self) -> [&'static str; 2] {
        ["123456789", "987654321"]
    }

    fn url(&self) -> &str {
        self.0.url()
    }

    fn config(&self, _: &str, service: &str) -> Vec<String> {
        let url = format!("url = \"{service}/bot:secret/sendMessage\"");
        vec![of_the_guide("TELEGRAM_BOT_TOKEN"), local("webhook", &url)]
    }

    fn watch(&self, watch: Watch) {
        self.0.watch(watch);
    }

    fn purpose(&self, _: &Asked) -> Purpose {
        Purpose::Page
    }

    fn shown_at(&self, address: &str) -> usize {
        self.sent_to(address).len()
    }

    fn press(&self, address: &str) -> Press {
        let sent = self.sent_to(address);
        let button = &sent.last().unwrap()["reply_markup"]["inline_keyboard"][0][0];
        assert_eq!(button["text"], "Acknowledge");
        Press::Request(Request {
            url: button["url"].as_str().unwrap().to_owned(),
            ..Request::default()
        })
    }

    fn fail(&self, status: u16) {
        self.0.service().fault = Some(status);
    }
}
