//! A stand-in for a Slack workspace and its Web API, on a loopback port.
//!
//! It follows the methods' documentation at <https://docs.slack.dev/reference/methods>: errors are
//! HTTP 200 with `ok: false`, names follow Slack's rules, a message sent twice is there twice. It
//! has its own thread and runtime, so that it can go down with its connections, and so that a test
//! that moves its own clock does not move this one's.

mod fault;
mod message;
mod methods;
mod params;
mod press;
mod rendered;
mod server;
mod socket;
mod typed;
mod workspace;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::broadcast;

pub use fault::{Fault, FaultRule};
pub use message::{Button, Message};
pub use press::{Press, PressError, Pressed, SignedRequest};
pub use server::Request;
pub use socket::SocketAct;
pub use typed::Typed;
pub use workspace::{Channel, Member, Place, Seen};

use server::{Inner, Running, Shared};
use workspace::Workspace;

/// How many observations a watcher may fall behind before it loses the oldest.
const SEEN_WAITING_MAX: usize = 4096;

/// The default key that signs the workspace's requests. Only this process can reach it.
pub const SIGNING_SECRET: &str = "stand-in-signing-secret";
const BOT_TOKEN: &str = "xoxb-stand-in";
const APP_TOKEN: &str = "xapp-stand-in";

/// The workspace's initial contents.
#[derive(Clone)]
pub struct Setup {
    /// The bearer token that requests must carry.
    pub token: String,
    /// The app-level token, which Socket Mode needs.
    pub app_token: String,
    /// The key that signs what the workspace sends.
    pub signing_secret: String,
    /// The people in it.
    pub members: Vec<Member>,
    /// Names of channels that exist and that the bot has joined.
    pub channels: Vec<String>,
}

impl Setup {
    /// A workspace with these members, default secrets and no channels.
    #[must_use]
    pub fn of(members: Vec<Member>) -> Self {
        Self {
            token: BOT_TOKEN.to_owned(),
            app_token: APP_TOKEN.to_owned(),
            signing_secret: SIGNING_SECRET.to_owned(),
            members,
            channels: Vec::new(),
        }
    }
}

/// A running stand-in; it stops when dropped.
pub struct SlackStandIn {
    shared: Arc<Shared>,
    address: SocketAddr,
    running: Mutex<Option<Running>>,
}

impl SlackStandIn {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// When no port or thread is available.
    pub fn start(setup: Setup) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let (seen, _) = broadcast::channel(SEEN_WAITING_MAX);
        let workspace = Workspace::new(setup.members, &setup.channels);
        let shared = Arc::new(Shared {
            token: setup.token,
            signing_secret: setup.signing_secret,
            app_token: setup.app_token,
            sockets: Arc::default(),
            base: format!("http://{address}"),
            inner: Mutex::new(Inner::new(workspace)),
            seen,
        });
        let running = Running::start(listener, Arc::clone(&shared))?;
        Ok(Self {
            shared,
            address,
            running: Mutex::new(Some(running)),
        })
    }

    /// Where the Web API is: `http://127.0.0.1:PORT/api`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}/api", self.shared.base)
    }

    /// Writes the workspace's secrets to `folder`, and returns the configuration table of the Slack
    /// plugin in the folder `plugin` for this workspace. A channel with the name of an audience,
    /// `engineering` or `company`, is where it hears of incidents.
    ///
    /// # Errors
    /// When the secrets cannot be written.
    pub fn install(&self, folder: &Path, plugin: &Path) -> io::Result<String> {
        fs::write(folder.join("bot-token"), &self.shared.token)?;
        fs::write(folder.join("signing-secret"), &self.shared.signing_secret)?;
        let channels = self.channels();
        let audience = |it: &&Channel| matches!(it.name.as_str(), "engineering" | "company");
        let heard = channels.iter().filter(audience);
        let heard: String = heard
            .map(|it| format!(", {}-channel = {:?}", it.name, it.id))
            .collect();
        Ok(format!(
            r#"
[plugins.slack]
path = {plugin:?}
settings = {{ base-url = "{}"{heard} }}
secrets = {{ bot-token = {{ file = "bot-token" }}, signing-secret = {{ file = "signing-secret" }} }}
grant = {{ http = ["*"], webhook = ["*"], schedule = ["*"], commands = ["*"], events = ["*"] }}
allow-networks = ["loopback"]
"#,
            self.base_url()
        ))
    }

    /// As [`install`](Self::install), by Socket Mode: the workspace has no way to the daemon.
    ///
    /// # Errors
    /// When the secrets cannot be written.
    pub fn install_by_socket(&self, folder: &Path, plugin: &Path) -> io::Result<String> {
        fs::write(folder.join("app-token"), &self.shared.app_token)?;
        let table = self.install(folder, plugin)?;
        let webhooks = "signing-secret = { file = \"signing-secret\" }";
        let table = table.replace(webhooks, "app-token = { file = \"app-token\" }");
        Ok(table.replace("webhook = [\"*\"]", "socket = [\"*\"]"))
    }

    /// Has the newest socket do something; false if none is open.
    pub fn socket(&self, act: SocketAct) -> bool {
        self.shared.sockets.lock().push(act)
    }

    /// Sends an envelope with this id through the newest socket; false if none is open. `kind` is
    /// that of Slack, such as `interactive`.
    pub fn envelope(&self, id: &str, kind: &str, payload: &Value) -> bool {
        let frame = json!({
            "envelope_id": id, "type": kind, "payload": payload,
            "accepts_response_payload": kind == "slash_commands",
        });
        self.socket(SocketAct::Text(frame.to_string()))
    }

    /// Every text that came through sockets, in order.
    #[must_use]
    pub fn socket_received(&self) -> Vec<Value> {
        self.shared.sockets.lock().received()
    }

    /// How many sockets were opened so far.
    #[must_use]
    pub fn sockets_opened(&self) -> usize {
        self.shared.sockets.lock().opened()
    }

    /// What people see from now on, as it happens.
    #[must_use]
    pub fn watch(&self) -> broadcast::Receiver<Seen> {
        self.shared.seen.subscribe()
    }

    /// Every request so far, in order, without credentials.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.inner.lock().requests.clone()
    }

    /// Requests that a client of Slack should never send: unknown methods, unknown or missing
    /// parameters, wrong credentials.
    #[must_use]
    pub fn unexpected(&self) -> Vec<String> {
        self.shared.inner.lock().unexpected.clone()
    }

    /// Every channel except direct messages, in the order of creation.
    #[must_use]
    pub fn channels(&self) -> Vec<Channel> {
        self.shared
            .inner
            .lock()
            .workspace
            .public()
            .cloned()
            .collect()
    }

    /// The messages in the channel of this name, oldest first; empty if there is no such channel.
    #[must_use]
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        let inner = self.shared.inner.lock();
        let found = inner.workspace.public().find(|it| it.name == channel);
        found.map(|it| it.messages.clone()).unwrap_or_default()
    }

    /// The direct messages to this member, oldest first.
    #[must_use]
    pub fn direct_messages(&self, member: &str) -> Vec<Message> {
        let inner = self.shared.inner.lock();
        let found = inner.workspace.direct(member);
        found.map(|it| it.messages.clone()).unwrap_or_default()
    }

    /// A text as people see it: names in place of ids, labels in place of links and times.
    #[must_use]
    pub fn rendered(&self, text: &str) -> String {
        rendered::rendered(&self.shared.inner.lock().workspace, text)
    }

    /// Adds a fault rule. It takes precedence over rules that were added earlier.
    pub fn fail(&self, rule: FaultRule) {
        self.shared.inner.lock().faults.insert(0, rule);
    }

    /// Removes all fault rules.
    pub fn heal(&self) {
        self.shared.inner.lock().faults.clear();
    }

    /// Closes the port and every connection: from now on, connections are refused.
    pub fn vanish(&self) {
        let running = self.running.lock().take();
        drop(running);
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    /// When another process has taken the port.
    pub fn come_back(&self) -> io::Result<()> {
        let mut running = self.running.lock();
        if running.is_none() {
            let listener = server::listen(self.address)?;
            *running = Some(Running::start(listener, Arc::clone(&self.shared))?);
        }
        Ok(())
    }

    /// Presses a button and sends what Slack would send to the app at `url`.
    ///
    /// # Errors
    /// When there is no such button or the app does not respond.
    pub async fn press(&self, press: &Press, url: &str) -> Result<Pressed, PressError> {
        self.press_request(press)?.send(url).await
    }

    /// The request that a press would send, signed with the current time.
    ///
    /// # Errors
    /// When there is no such button.
    pub fn press_request(&self, press: &Press) -> Result<SignedRequest, PressError> {
        let inner = self.shared.inner.lock();
        let body = press::body(&inner.workspace, press, &self.shared.base)?;
        Ok(SignedRequest::now(&self.shared.signing_secret, body))
    }

    /// The request that a command sends, signed with the current time.
    ///
    /// # Errors
    /// When there is no such member.
    pub fn typed_request(&self, typed: &Typed) -> Result<SignedRequest, PressError> {
        let inner = self.shared.inner.lock();
        let body = typed::body(&inner.workspace, typed)?;
        Ok(SignedRequest::now(&self.shared.signing_secret, body))
    }
}

#[cfg(test)]
mod tests;
