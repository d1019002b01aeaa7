//! A whole daemon on loopback with its store on disk, and raw sockets into it.

use std::time::{Duration, Instant};

use tocsin::auth::Scope;
use tocsin::http::Limits;
use tocsin_store::Table;
use tocsin_tests::support::{Embedded, config};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Most bytes of a body that this daemon takes.
pub(crate) const BODY_BYTES_MAX: usize = 65_536;
/// Time limit for a response; each takes milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A running daemon.
pub(crate) struct Daemon {
    embedded: Embedded,
    /// A token that sends to `any`.
    token: String,
}

/// A response: its status and full text. Status 0: the connection ended without one.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Daemon {
    pub(crate) async fn open(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = config::with(&[&format!("server.body-bytes-max = {BODY_BYTES_MAX}")]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let embedded = Embedded::start(dir, &config, listener, limits).await;
        let embedded = embedded.unwrap();
        let token = embedded.token(Scope::Ingest, Some("any")).await.unwrap();
        Self { embedded, token }
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
        TcpStream::connect(self.embedded.serving.address)
            .await
            .unwrap()
    }

    /// A connection that takes in very little at a time.
    pub(crate) async fn connect_narrow(&self) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.connect(self.embedded.serving.address).await.unwrap()
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
        let rows = self
            .embedded
            .serving
            .app
            .store
            .rows(Table::Alert, "", None, 1_000);
        rows.unwrap().len()
    }
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
