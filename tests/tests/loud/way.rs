//! What the tests need to know of a channel: its configuration, what it showed to whom, and how
//! somebody answers there.

use std::sync::Arc;

use tocsin_standins::{Asked, Watch};
use tocsin_tests::paths;

use crate::by_ntfy::ByNtfy;
use crate::by_pushover::ByPushover;
use crate::by_twilio::{ByTwilio, Kind};
use crate::by_webhook::ByWebhook;

/// A channel with its own stand-in.
pub(crate) trait Way: Send + Sync {
    /// The plugin's id.
    fn plugin(&self) -> &'static str;
    /// The kind of its contacts.
    fn kind(&self) -> &'static str;
    /// Ada's first and second contact.
    fn addresses(&self) -> [&'static str; 2];
    /// The stand-in's URL.
    fn url(&self) -> &str;
    /// The plugin's configuration, later texts over earlier ones: of the guide, for a daemon and a
    /// service at these URLs.
    fn config(&self, daemon: &str, service: &str) -> Vec<String>;
    fn watch(&self, watch: Watch);
    fn purpose(&self, asked: &Asked) -> Purpose;
    /// How many messages the person gets to see there, or to hear: one that replaces another is the
    /// same.
    fn shown_at(&self, address: &str) -> usize;
    /// The phone, or the person, takes notice of what arrived.
    fn notice(&self) {}
    /// Whether the channel tells that a page was seen, before it is answered.
    fn tells_seen(&self) -> bool {
        false
    }
    /// The person acknowledges what arrived there.
    fn press(&self, address: &str) -> Press;
    /// Whether the plugin has to ask for answers.
    fn is_polled(&self) -> bool {
        false
    }
    /// Whether every page was taken back.
    fn is_taken_back(&self) -> bool {
        true
    }
    /// From now on, every request fails with this status.
    fn fail(&self, status: u16);
}

/// What a plugin's request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To page somebody.
    Page,
    /// To read answers.
    Answer,
    TakeBack,
    Other,
}

/// How somebody acknowledges.
pub(crate) enum Press {
    /// Their phone, or the service, posts this to the daemon or to the service.
    Request(Request),
    /// They did, and the service knows.
    InService,
}

/// What is posted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// Makes a channel with a stand-in of its own.
pub(crate) type Make = fn() -> Arc<dyn Way>;

pub(crate) const NTFY_BUTTON: Make = || Arc::new(ByNtfy::start(false));
pub(crate) const NTFY_TOPIC: Make = || Arc::new(ByNtfy::start(true));
pub(crate) const PUSHOVER: Make = || Arc::new(ByPushover::start());
pub(crate) const CALL: Make = || Arc::new(ByTwilio::start(Kind::Call));
pub(crate) const SMS: Make = || Arc::new(ByTwilio::start(Kind::Sms));
pub(crate) const WEBHOOK: Make = || Arc::new(ByWebhook::start());

/// The configuration in the guide that contains `words`.
pub(crate) fn of_the_guide(words: &str) -> String {
    let guide = paths::root().join("docs/guides/waking-people.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let blocks = guide.split("```toml\n").skip(1);
    let mut blocks = blocks.filter_map(|it| it.split("```").next());
    blocks.find(|it| it.contains(words)).unwrap().to_owned()
}

/// What a test has to change of the guide's configuration of a plugin.
pub(crate) fn local(plugin: &str, settings: &str) -> String {
    let built = paths::plugins().join(plugin);
    format!(
        "[plugins.{plugin}]\npath = {built:?}\nallow-networks = [\"loopback\"]\n\
         [plugins.{plugin}.settings]\n{settings}\n"
    )
}
