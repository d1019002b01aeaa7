//! Slow clients that hold connections: more of them than the daemon allows.

use std::time::Duration;

use tocsin::http::Limits;
use tocsin_tests::wait::until;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::daemon::Daemon;

/// The daemon's connection limit, and the number of slow clients.
const PLACES: usize = 16;
const CLIENTS: usize = 3 * PLACES;
/// The time limit for a client's headers, and for reading its response.
const LIMIT: Duration = Duration::from_millis(700);
/// Alerts that are sent meanwhile.
const ALERTS: usize = 10;
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// With these limits a slot is freed only by disconnecting a client.
const PATIENT: Limits = Limits {
    connections: PLACES,
    header_read: Duration::from_secs(600),
    response_read: Duration::from_secs(600),
};

/// How a client keeps the daemon waiting.
#[derive(Clone, Copy, Debug)]
enum Slow {
    SaysNothing,
    HalfAHeader,
    HalfABody,
    TakesNoAnswer,
}

const KINDS: [Slow; 4] = [
    Slow::SaysNothing,
    Slow::HalfAHeader,
    Slow::HalfABody,
    Slow::TakesNoAnswer,
];

async fn come(daemon: &Daemon, kind: Slow) -> TcpStream {
    let head = daemon.head();
    let said = match kind {
        Slow::SaysNothing => String::new(),
        Slow::HalfAHeader => head,
        Slow::HalfABody => format!("{head}content-length: 60000\r\n\r\n{{"),
        Slow::TakesNoAnswer => {
            let mut stream = daemon.connect_narrow().await;
            let asks = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(500);
            // The daemon may stop reading.
            let taken = stream.write_all(asks.as_bytes());
            let _stalled = tokio::time::timeout(Duration::from_millis(50), taken).await;
            return stream;
        }
    };
    let mut stream = daemon.connect().await;
    // The client may already have been disconnected.
    let _gone = stream.write_all(said.as_bytes()).await;
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_that_use_every_connection_do_not_block_others() {
    for kind in KINDS {
        let daemon = Daemon::open(PATIENT).await;
        let mut held = Vec::new();
        for _ in 0..CLIENTS {
            held.push(come(&daemon, kind).await);
        }
        for alert in 0..ALERTS {
            daemon.health().await;
            let answer = daemon.send(&daemon.post(&format!("a{alert}")), false).await;
            assert_eq!(answer.status, 202, "{kind:?}: {}", answer.text);
        }
        assert_eq!(daemon.alerts(), ALERTS, "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_too_slow_is_disconnected() {
    let daemon = Daemon::open(Limits {
        header_read: LIMIT,
        response_read: LIMIT,
        ..Limits::default()
    })
    .await;
    for kind in [Slow::SaysNothing, Slow::HalfAHeader] {
        let mut stream = come(&daemon, kind).await;
        let mut read = Vec::new();
        let end = stream.read_to_end(&mut read);
        let ended = tokio::time::timeout(GONE_WITHIN, end).await;
        assert!(ended.is_ok(), "{kind:?} is still connected");
    }
    // For a client that reads nothing, only a write detects the end.
    let mut stream = come(&daemon, Slow::TakesNoAnswer).await;
    let closed = async || stream.write_all(b"GET / HTTP/1.1\r\n").await.err();
    until("its end", GONE_WITHIN, closed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_a_byte_at_a_time_is_served() {
    let daemon = Daemon::open(Limits::default()).await;
    let mut stream = daemon.connect().await;
    stream.set_nodelay(true).unwrap();
    for byte in daemon.post("slow") {
        stream.write_all(&[byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    let answer = super::daemon::answer(&mut stream).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(daemon.alerts(), 1);
}
