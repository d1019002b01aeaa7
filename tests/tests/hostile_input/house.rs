//! A whole daemon on loopback with its store on disk, and raw sockets into it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tocsin::app::{App, Ingredients};
use tocsin::auth::{NewToken, Scope};
use tocsin::config;
use tocsin::http::{Limits, serve_within};
use tocsin::runtime::SystemClock;
use tocsin_core::IntegrationId;
use tocsin_store::{SledStore, Table};
use tocsin_tests::paths;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Most bytes of a body that this daemon takes.
pub(crate) const BODY_BYTES_MAX: usize = 65_536;
/// Time limit for a response; each takes milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

const CONFIG: &str = r#"
[server]
body-bytes-max = 65536
[policy]
path = "POLICIES"
[escalation]
fallback = ["person:ada"]
[people.ada]
name = "Ada"
contacts = [{ kind = "slack", address = "U1" }]
[integrations.any]
kind = "generic"
"#;

/// A running daemon.
pub(crate) struct House {
    pub(crate) app: Arc<App>,
    pub(crate) at: SocketAddr,
    /// A token that sends to `any`.
    pub(crate) token: String,
    _dir: TempDir,
}

/// A response: its status and full text. Status 0: the connection ended without one.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl House {
    pub(crate) async fn open(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let policies = paths::root().join("policies");
        let text = CONFIG.replace("POLICIES", &policies.to_string_lossy());
        let loaded = config::parse(&text, "the test's configuration", dir.path()).unwrap();
        let ingredients = Ingredients {
            clock: Arc::new(SystemClock),
            store: Arc::new(SledStore::open(&dir.path().join("data")).unwrap()),
            cache: None,
            policies_kept: None,
            ack_key: tocsin::auth::AckKey::random().unwrap(),
        };
        let app = App::build(loaded.config, ingredients).await.unwrap();
        let token = issue(&app, "any").await;
        app.start().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let never = std::future::pending();
        tokio::spawn(serve_within(limits, Arc::clone(&app), listener, never));
        Self {
            app,
            at,
            token,
            _dir: dir,
        }
    }

    /// The head of a post to `/ingest/any`, up to the headers that tell its length.
    pub(crate) fn head(&self) -> String {
        let token = &self.token;
        format!("POST /ingest/any HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n")
    }

    /// A whole post of an alert with this title.
    pub(crate) fn post(&self, title: &str) -> Vec<u8> {
        let body = format!("{{\"title\":\"{title}\",\"dedup_key\":\"{title}\"}}");
        let head = self.head();
        format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.at).await.unwrap()
    }

    /// A connection that takes in very little at a time.
    pub(crate) async fn connect_narrow(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.connect(self.at).await.unwrap()
    }

    /// Sends bytes on a connection of their own and reads the answer. `close`: says after the
    /// bytes that no more will come.
    pub(crate) async fn send(&self, bytes: &[u8], close: bool) -> Answer {
        let mut stream = self.connect().await;
        // A daemon that has answered what it saw of a request need not take the rest.
        let _refused = stream.write_all(bytes).await;
        if close {
            let _gone = stream.shutdown().await;
        }
        answer(&mut stream).await
    }

    /// How long `/healthz` takes to say that all is well.
    pub(crate) async fn health(&self) -> Duration {
        let began = Instant::now();
        let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
        let answer = self.send(request, false).await;
        assert_eq!(answer.status, 200, "/healthz: {}", answer.text);
        began.elapsed()
    }

    /// How many alerts are stored.
    pub(crate) fn alerts(&self) -> usize {
        let rows = self.app.store.rows(Table::Alert, "", None, 1_000);
        rows.unwrap().len()
    }
}

async fn issue(app: &App, integration: &str) -> String {
    let wanted = NewToken {
        name: "a sender".to_owned(),
        scope: Scope::Ingest,
        integration: Some(IntegrationId(integration.to_owned())),
        person: None,
    };
    let (now, writer) = (app.clock.now(), &app.writer);
    let made = app.tokens.create(wanted, &app.config, now, writer).await;
    made.unwrap().0.reveal().to_owned()
}

/// Reads one answer: its head, and as much of a body as it says there is.
pub(crate) async fn answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let read = async {
        let mut piece = [0; 4_096];
        while !is_whole(&bytes) {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(count) => bytes.extend_from_slice(&piece[..count]),
            }
        }
    };
    let came = tokio::time::timeout(ANSWER_WITHIN, read).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(came.is_ok(), "no answer within {ANSWER_WITHIN:?}: {text}");
    let status = text.split(' ').nth(1).and_then(|it| it.parse().ok());
    Answer {
        status: status.unwrap_or(0),
        text,
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let mut lines = head.lines();
    let length = lines.find_map(|it| it.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}
