//! Twilio: a call in which the key 1 is pressed, and a text that is replied to.

use tocsin_standins::twilio::{self, Item, Twilio};
use tocsin_standins::{Asked, Loopback, Watch};

use crate::way::{Press, Purpose, Request, Way, local, of_the_guide};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With a public URL.
    Call,
    /// Without one.
    Sms,
}

pub(crate) struct ByTwilio {
    server: Loopback<Twilio>,
    kind: Kind,
}

impl ByTwilio {
    pub(crate) fn start(kind: Kind) -> Self {
        let server = Loopback::start(Twilio::default()).unwrap();
        Self { server, kind }
    }

    /// What becomes of each call, or text, that has become nothing yet.
    pub(crate) fn becomes(&self, status: &str) {
        let mut service = self.server.service();
        let items = match self.kind {
            Kind::Call => &mut service.calls,
            Kind::Sms => &mut service.messages,
        };
        for item in items.iter_mut().filter(|it| it.status == "queued") {
            status.clone_into(&mut item.status);
        }
    }

    fn sent(&self) -> Vec<Item> {
        let service = self.server.service();
        let items = match self.kind {
            Kind::Call => service.calls.iter(),
            Kind::Sms => service.messages.iter(),
        };
        let sent = items.filter(|it| it.direction == "outbound-api");
        sent.cloned().collect()
    }
}

impl Way for ByTwilio {
    fn plugin(&self) -> &'static str {
        "twilio"
    }

    fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Call => "phone",
            Kind::Sms => "sms",
        }
    }

    fn addresses(&self) -> [&'static str; 2] {
        ["+15557654321", "+15557654322"]
    }

    fn url(&self) -> &str {
        self.server.url()
    }

    fn config(&self, daemon: &str, service: &str) -> Vec<String> {
        let guide = of_the_guide("TWILIO_AUTH_TOKEN");
        let lines = guide.lines().filter(|it| !it.starts_with("public-url"));
        let guide = lines.collect::<Vec<_>>().join("\n");
        let public = match self.kind {
            Kind::Call => format!("\npublic-url = {daemon:?}"),
            Kind::Sms => String::new(),
        };
        let local = local("twilio", &format!("base-url = {service:?}{public}"));
        vec![guide, local]
    }

    fn watch(&self, watch: Watch) {
        self.server.watch(watch);
    }

    fn purpose(&self, asked: &Asked) -> Purpose {
        let from = asked.query.get("From").map(String::as_str);
        let what = asked.path.rsplit('/').next().unwrap_or_default();
        match (asked.method.as_str(), what) {
            ("POST", "Calls.json" | "Messages.json") => Purpose::Page,
            ("GET", "Messages.json") if from != Some(twilio::FROM) => Purpose::Answer,
            _ => Purpose::Other,
        }
    }

    fn shown_at(&self, address: &str) -> usize {
        self.sent().iter().filter(|it| it.to == address).count()
    }

    fn notice(&self) {
        self.becomes(match self.kind {
            Kind::Call => "in-progress",
            Kind::Sms => "delivered",
        });
    }

    fn tells_seen(&self) -> bool {
        true
    }

    fn press(&self, address: &str) -> Press {
        let sent = self.sent().into_iter().rev();
        let item = sent.clone().find(|it| it.to == address).unwrap();
        if self.kind == Kind::Sms {
            assert!(
                item.body.contains("Reply 1 to acknowledge"),
                "{}",
                item.body
            );
            self.server.service().receive(address, "1");
            return Press::InService;
        }
        let action = item.body.split("action=\"").nth(1);
        let action = action.and_then(|it| it.split('"').next()).unwrap();
        let url = action.replace("&amp;", "&");
        let fields = [
            ("CallSid", item.sid.as_str()),
            ("Digits", "1"),
            ("To", address),
        ];
        let form = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let encode = |it: (&str, &str)| format!("{}={}", it.0, it.1.replace('+', "%2B"));
        let kind = "application/x-www-form-urlencoded".to_owned();
        Press::Request(Request {
            headers: vec![
                ("x-twilio-signature", twilio::signature(&url, &form.into())),
                ("content-type", kind),
            ],
            body: fields.map(encode).join("&"),
            url,
        })
    }

    fn is_polled(&self) -> bool {
        self.kind == Kind::Sms
    }

    fn fail(&self, status: u16) {
        self.server.service().fault = Some(status);
    }
}
