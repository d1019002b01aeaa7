//! Outgoing WebSockets (RFC 6455).

use super::client::Net;
use super::error::{NetError, classify};
use crate::rights::Settings;
use crate::rights::manifest::SocketOrigin;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{CONNECTION, UPGRADE};
use reqwest::{StatusCode, Upgraded};
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use url::Url;

/// How long a server may take to begin the conversation.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a frame may take to be written: a server that reads nothing does not hold up the rest.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes that wait to be written.
const UNSENT_BYTES_MAX: usize = 2 << 20;
const ACCEPT: &str = "sec-websocket-accept";

/// An open WebSocket.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<Upgraded>,
}

/// What came through a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    Text(String),
    /// A sign of life without a text.
    Alive,
    /// Nothing more comes, and why.
    Closed(String),
}

impl Socket {
    /// Waits for a frame. Can be canceled without losing one.
    pub async fn next(&mut self) -> Incoming {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => Incoming::Text(text.as_str().to_owned()),
            Some(Ok(Message::Close(Some(frame)))) => {
                Incoming::Closed(format!("the server closed it with {}", frame.code))
            }
            Some(Ok(Message::Close(None))) | None => {
                Incoming::Closed("the server closed it".to_owned())
            }
            Some(Ok(_)) => Incoming::Alive,
            Some(Err(error)) => Incoming::Closed(error.to_string()),
        }
    }

    /// Sends a text.
    ///
    /// # Errors
    /// Why it was not sent; the socket is of no more use.
    pub async fn send(&mut self, text: String) -> Result<(), String> {
        self.write(Message::text(text)).await
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn ping(&mut self) -> Result<(), String> {
        self.write(Message::Ping(Vec::new().into())).await
    }

    async fn write(&mut self, message: Message) -> Result<(), String> {
        match tokio::time::timeout(SEND_TIMEOUT, self.stream.send(message)).await {
            Ok(sent) => sent.map_err(|error| error.to_string()),
            Err(_) => Err(format!(
                "nothing was taken for {} s",
                SEND_TIMEOUT.as_secs()
            )),
        }
    }
}

/// Whether a socket may lead to this URL.
pub(crate) fn covers(origins: &[SocketOrigin], url: &Url, settings: &Settings) -> bool {
    let host = url.host_str().unwrap_or_default();
    let with_tls = url.scheme() == "wss" && url.port().is_none();
    let is_covered = |origin: &SocketOrigin| match origin {
        SocketOrigin::Host(name) => with_tls && host == name,
        SocketOrigin::Under(domain) => {
            let name = host.strip_suffix(domain.as_str());
            with_tls && name.is_some_and(|it| it.len() > 1 && it.ends_with('.'))
        }
        SocketOrigin::Setting(key) => {
            let set = settings.get(key).and_then(toml::Value::as_str);
            let set = set.and_then(|it| Url::parse(it).ok());
            set.is_some_and(|set| as_http(url).is_some_and(|it| it.origin() == set.origin()))
        }
    };
    url.username().is_empty() && url.password().is_none() && origins.iter().any(is_covered)
}

/// The URL of the request with which a WebSocket begins.
fn as_http(url: &Url) -> Option<Url> {
    let scheme = match url.scheme() {
        "wss" => "https",
        "ws" => "http",
        _ => return None,
    };
    // `set_scheme` refuses to change between kinds of schemes, so the text is changed.
    Url::parse(&format!("{scheme}{}", &url.as_str()[url.scheme().len()..])).ok()
}

impl Net {
    /// Opens a WebSocket to a URL that was checked with [`covers`]. The addresses behind its name
    /// are checked here.
    pub(crate) async fn open(&self, url: &Url, frame_bytes_max: usize) -> Result<Socket, NetError> {
        let opened = tokio::time::timeout(OPEN_TIMEOUT, self.upgrade(url)).await;
        let stream = opened.map_err(|_| NetError::Timeout { connected: true })??;
        let config = WebSocketConfig::default()
            .max_message_size(Some(frame_bytes_max))
            .max_frame_size(Some(frame_bytes_max))
            .max_write_buffer_size(UNSENT_BYTES_MAX);
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, Some(config)).await;
        Ok(Socket { stream })
    }

    async fn upgrade(&self, url: &Url) -> Result<Upgraded, NetError> {
        let not_one = || NetError::Invalid("it is not the URL of a WebSocket".to_owned());
        let url = as_http(url).ok_or_else(not_one)?;
        self.check_literal(&url)?;
        let key = generate_key();
        let asked = self.for_sockets()?.get(url);
        let asked = asked
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", &key);
        let answer = asked.send().await.map_err(|error| classify(&error))?;
        let status = answer.status();
        let accepted = answer
            .headers()
            .get(ACCEPT)
            .map(|it| it.as_bytes().to_vec());
        let is_ours = accepted.is_some_and(|it| it == derive_accept_key(key.as_bytes()).as_bytes());
        if status != StatusCode::SWITCHING_PROTOCOLS || !is_ours {
            let why = format!("the server answered with {status} and opened no WebSocket");
            return Err(NetError::Broken(why));
        }
        answer.upgrade().await.map_err(|error| classify(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_leads_only_where_its_manifest_says() {
        let origins = [
            SocketOrigin::Host("ws.example.com".into()),
            SocketOrigin::Under("slack.com".into()),
            SocketOrigin::Setting("base-url".into()),
        ];
        let base: toml::Value = "http://127.0.0.1:8080/api".into();
        let settings = [("base-url".to_owned(), base)].into();
        for (url, want) in [
            ("wss://ws.example.com/link?ticket=1", true),
            ("wss://wss-primary.slack.com/link", true),
            ("wss://a.b.slack.com/", true),
            ("ws://127.0.0.1:8080/link", true),
            ("ws://ws.example.com/", false),
            ("wss://ws.example.com:8443/", false),
            ("wss://user@ws.example.com/", false),
            ("wss://slack.com/", false),
            ("wss://.slack.com/", false),
            ("wss://evilslack.com/", false),
            ("wss://slack.com.evil.example/", false),
            ("https://ws.example.com/", false),
            ("ws://127.0.0.1:8081/link", false),
            ("wss://127.0.0.1:8080/link", false),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(covers(&origins, &url, &settings), want, "{url}");
        }
    }
}
