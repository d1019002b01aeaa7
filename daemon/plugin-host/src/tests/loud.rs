//! The plugins that wake people, as built, against their stand-ins over loopback. What matters here
//! is what only the real host does: grants, credentials in their places, and signatures.

use super::rig::{Rig, built, delivery, page};
use crate::wit::{Event, EventBody, Job, Label, Outcome, Settled};
use crate::{CallResult, Failure, LoadedPlugin, PluginGrant, WebhookCall};
use tocsin_standins::{Loopback, chat, ntfy, pushover, twilio};

/// A loaded plugin, if it has been built, and the secrets that nobody may see.
struct Loaded {
    rig: Rig,
    plugin: LoadedPlugin,
    secrets: Vec<String>,
}

impl Loaded {
    /// `settings` in TOML; `secrets` by name.
    async fn load(id: &str, settings: &str, secrets: &[(&str, &str)]) -> Option<Self> {
        Self::load_in(Rig::new(), id, settings, secrets).await
    }

    /// In a rig that may have compiled the plugin already.
    async fn load_in(rig: Rig, id: &str, settings: &str, secrets: &[(&str, &str)]) -> Option<Self> {
        let Some(path) = built(id) else {
            println!(
                "skipped: no plugins/{id}/plugin.wasm in the target folder; cargo xtask plugins"
            );
            return None;
        };
        let mut places = Vec::new();
        for (name, value) in secrets {
            let file = rig.folder.path().join(name);
            std::fs::write(&file, value).unwrap();
            places.push(format!("{name} = {{ file = {file:?} }}"));
        }
        let grant: PluginGrant = toml::from_str(&format!(
            "path = {path:?}\nsecrets = {{ {} }}\nallow-networks = [\"loopback\"]\n\
             grant = {{ http = [\"*\"], events = [\"*\"], commands = [\"*\"], \
             webhook = [\"*\"] }}\n\
             [settings]\n{settings}",
            places.join(", ")
        ))
        .unwrap();
        let plugin = rig.host.load(id, grant).await;
        let plugin = plugin.unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(plugin.inspect().warnings, [""; 0], "{id}");
        let secrets = secrets.iter().map(|(_, value)| (*value).to_owned());
        Some(Self {
            rig,
            plugin,
            secrets: secrets.collect(),
        })
    }

    async fn deliver(&self, id: &str, body: EventBody) -> Result<Outcome, Failure> {
        let event = Event {
            id: id.into(),
            seq: 1,
            origin: None,
            incident_id: None,
            at: 1_800_000_000_000,
            body,
        };
        let mut delivery = delivery();
        delivery.idempotency_key = id.into();
        self.checked(self.plugin.deliver(event, delivery).await)
    }

    /// The outcome of a call whose report has no secret.
    fn checked<T: std::fmt::Debug>(&self, result: CallResult<T>) -> Result<T, Failure> {
        let report = format!("{result:?}");
        for secret in &self.secrets {
            assert!(!report.contains(secret), "{report}");
        }
        assert!(
            !matches!(
                result.outcome,
                Err(Failure::Trapped { .. } | Failure::LimitReached { .. })
            ),
            "{report}"
        );
        result.outcome
    }

    async fn page(&self, kind: &str, address: &str) -> Result<Outcome, Failure> {
        let EventBody::Page(mut page) = page() else {
            panic!()
        };
        page.to.contacts = vec![Label {
            key: kind.into(),
            value: address.into(),
        }];
        page.ack_url = Some("https://tocsin.example/ack/p1".into());
        self.deliver("page", EventBody::Page(page)).await
    }

    async fn settle(&self) -> Result<Outcome, Failure> {
        let settled = Settled {
            id: "p1".into(),
            by: None,
            choice: None,
            extra: "{}".into(),
        };
        self.deliver("settled", EventBody::Settled(settled)).await
    }

    async fn job(&self, topic: &str) -> Result<Outcome, Failure> {
        let job = Job {
            topic: topic.into(),
            payload: "{}".into(),
        };
        self.deliver("job", EventBody::Job(job)).await
    }

    fn pages(&self) -> Vec<String> {
        self.rig.services.pages.lock().clone()
    }
}

#[tokio::test]
async fn ntfy_pages_with_a_token_or_a_password_and_clears() {
    let (user, password) = ntfy::LOGIN.split_once(':').unwrap();
    let login = format!("user = {user:?}");
    for (settings, secret) in [
        ("", ("token", ntfy::TOKEN)),
        (login.as_str(), ("password", password)),
    ] {
        let server = Loopback::start(ntfy::Ntfy {
            is_private: true,
            ..ntfy::Ntfy::default()
        });
        let server = server.unwrap();
        let settings = format!("base-url = {:?}\n{settings}", server.url());
        let Some(loaded) = Loaded::load("ntfy", &settings, &[secret]).await else {
            return;
        };
        assert_eq!(loaded.page("ntfy", "ada-x7Kq").await, Ok(Outcome::Done));
        assert_eq!(server.service().messages.len(), 1);
        assert_eq!(loaded.settle().await, Ok(Outcome::Done));
        assert_eq!(server.service().cleared.len(), 1);
    }
}

#[tokio::test]
async fn a_wrong_credential_is_the_operators_to_correct() {
    let server = Loopback::start(ntfy::Ntfy::default()).unwrap();
    let settings = format!("base-url = {:?}", server.url());
    let Some(loaded) = Loaded::load("ntfy", &settings, &[("token", "tk_wrong")]).await else {
        return;
    };
    let result = loaded.page("ntfy", "ada-x7Kq").await;
    assert!(
        matches!(result, Err(Failure::Misconfigured { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn pushover_pages_reads_the_receipt_and_falls_silent() {
    let server = Loopback::start(pushover::Pushover::default()).unwrap();
    let settings = format!("base-url = {:?}", server.url());
    let secrets = [("token", pushover::TOKEN)];
    let Some(loaded) = Loaded::load("pushover", &settings, &secrets).await else {
        return;
    };
    let ada = pushover::USERS[0];
    assert_eq!(loaded.page("pushover", ada).await, Ok(Outcome::Done));
    for receipt in server.service().receipts.values_mut() {
        receipt.last_delivered_at = 1;
        receipt.acknowledged_by = Some(ada.into());
    }
    assert_eq!(loaded.job("receipts").await, Ok(Outcome::Done));
    let ack = format!("ack p1 by pushover {ada}");
    assert_eq!(loaded.pages(), ["seen p1", "pressed p1", ack.as_str()]);
    assert_eq!(loaded.settle().await, Ok(Outcome::Done));
    assert!(server.service().receipts.values().all(|it| it.is_canceled));
}

#[tokio::test]
async fn twilio_calls_and_takes_a_key_that_is_signed() {
    let server = Loopback::start(twilio::Twilio::default()).unwrap();
    let settings = format!(
        "base-url = {:?}\naccount-sid = {:?}\nfrom = {:?}\npublic-url = \"https://tocsin.example\"",
        server.url(),
        twilio::ACCOUNT,
        twilio::FROM
    );
    let secrets = [("auth-token", twilio::TOKEN)];
    let Some(loaded) = Loaded::load("twilio", &settings, &secrets).await else {
        return;
    };
    let rings = loaded.page("phone", "+15557654321").await;
    assert!(matches!(rings, Err(Failure::Retry { .. })), "{rings:?}");
    server.service().calls[0].status = "in-progress".into();
    assert_eq!(
        loaded.page("phone", "+15557654321").await,
        Ok(Outcome::Done)
    );
    assert_eq!(server.service().calls.len(), 1);

    let url = "https://tocsin.example/hooks/twilio/gather?page=p1";
    let form = [("CallSid", "CA0"), ("Digits", "1")];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let signature = twilio::signature(url, &form.into());
    let call = |body: &str| WebhookCall {
        route: "gather".into(),
        method: "POST".into(),
        url: url.into(),
        path: "/hooks/twilio/gather".into(),
        query: "page=p1".into(),
        headers: vec![("X-Twilio-Signature".into(), signature.clone().into_bytes())],
        body: body.into(),
    };
    let forged = loaded.plugin.webhook(call("CallSid=CA0&Digits=2")).await;
    assert!(matches!(
        loaded.checked(forged),
        Err(Failure::Refused { status: 401, .. })
    ));
    let pressed = loaded.plugin.webhook(call("CallSid=CA0&Digits=1")).await;
    let answer = String::from_utf8(loaded.checked(pressed).unwrap().body).unwrap();
    assert!(answer.contains("Acknowledged. Goodbye."), "{answer}");
    let ack = "ack p1 by phone +15557654321";
    assert_eq!(loaded.pages(), ["seen p1", "pressed p1", ack]);
}

#[tokio::test]
async fn every_recipe_of_the_webhook_plugin_pages_with_its_credential() {
    let mut rig = Rig::new();
    for (recipe, kind, address) in [
        ("gotify", chat::Kind::Gotify, "any"),
        ("telegram", chat::Kind::Telegram, "123456789"),
        ("mattermost", chat::Kind::Mattermost, "@ada"),
        ("discord", chat::Kind::Discord, "290926798626357999"),
        ("sms", chat::Kind::Sms, "+15551234567"),
    ] {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../plugins/webhook/recipes");
        let recipe = std::fs::read_to_string(format!("{folder}/{recipe}.toml")).unwrap();
        let recipe: toml::Table = toml::from_str(&recipe).unwrap();
        let mut settings = recipe["plugins"]["webhook"]["settings"].clone();
        let server = Loopback::start(chat::Chat::new(kind)).unwrap();
        let url = url::Url::parse(settings["url"].as_str().unwrap()).unwrap();
        let local = format!("{}{}", server.url(), &url[url::Position::BeforePath..]);
        settings
            .as_table_mut()
            .unwrap()
            .insert("url".into(), local.into());
        let settings = toml::to_string(&settings).unwrap();
        let secrets = [("secret", chat::SECRET)];
        let Some(loaded) = Loaded::load_in(rig, "webhook", &settings, &secrets).await else {
            return;
        };
        assert_eq!(
            loaded.page("webhook", address).await,
            Ok(Outcome::Done),
            "{kind:?}"
        );
        assert_eq!(server.service().messages.len(), 1, "{kind:?}");
        rig = loaded.rig;
        rig.services.effects.lock().clear();
    }
}

#[tokio::test]
async fn every_configuration_of_the_guide_loads_without_a_warning() {
    let guide = include_str!("../../../../docs/guides/waking-people.md");
    let blocks = guide.split("```toml\n").skip(1);
    let rig = Rig::new();
    let mut loaded = Vec::new();
    for block in blocks.map(|it| it.split("```").next().unwrap()) {
        let config: toml::Table = toml::from_str(block).unwrap();
        // The ladders of people are the daemon's.
        let Some(plugins) = config.get("plugins") else {
            continue;
        };
        let (id, section) = plugins.as_table().unwrap().iter().next().unwrap();
        let Some(path) = built(id) else {
            println!("skipped: {id} is not built; cargo xtask plugins");
            return;
        };
        let file = rig.folder.path().join("token");
        let mut section = section.as_table().unwrap().clone();
        section.insert("path".into(), path.to_str().unwrap().into());
        if let Some(secrets) = section.get_mut("secrets").and_then(|it| it.as_table_mut()) {
            for (_, place) in secrets.iter_mut() {
                assert!(place.get("env").is_some(), "{block}");
                let file = toml::Table::from_iter([("file".into(), file.to_str().unwrap().into())]);
                *place = file.into();
            }
        }
        let grant: PluginGrant = toml::Value::from(section).try_into().unwrap();
        let plugin = rig.host.load(id, grant).await;
        let plugin = plugin.unwrap_or_else(|error| panic!("{error}\n{block}"));
        assert_eq!(plugin.inspect().warnings, [""; 0], "{block}");
        loaded.push(id.clone());
    }
    let want = ["ntfy", "ntfy", "pushover", "twilio"];
    assert_eq!(loaded[..4], want);
    assert_eq!(loaded[4..], ["webhook"; 5]);
}
