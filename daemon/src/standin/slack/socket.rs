//! Socket Mode: <https://docs.slack.dev/apis/events-api/using-socket-mode>.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::server::Shared;

/// Where sockets lead.
pub(super) const LINK: &str = "/link";
/// The method that says so; it takes the app's own token.
pub(super) const OPEN: &str = "apps.connections.open";
/// Most frames that wait to be written to one socket.
const UNSENT_MAX: usize = 4_096;

/// What a socket does next.
#[derive(Clone, Debug, PartialEq)]
pub enum SocketAct {
    /// Sends a text.
    Text(String),
    /// Sends the beginning of a frame and then nothing more.
    HalfFrame,
    /// Ends the connection without a word.
    Drop,
}

/// The open sockets, the oldest first, and what came through all that ever were.
#[derive(Default)]
pub(super) struct Sockets {
    open: Vec<mpsc::Sender<SocketAct>>,
    received: Vec<Value>,
    /// How many were opened so far.
    opened: usize,
}

impl Sockets {
    /// Has the newest socket do something; false if none is open.
    pub(super) fn push(&mut self, act: SocketAct) -> bool {
        self.open.retain(|it| !it.is_closed());
        self.open.last().is_some_and(|it| it.try_send(act).is_ok())
    }

    pub(super) fn received(&self) -> Vec<Value> {
        self.received.clone()
    }

    pub(super) fn opened(&self) -> usize {
        self.opened
    }
}

/// The answer to [`OPEN`].
pub(super) fn opening(shared: &Shared) -> Value {
    let base = shared.base.replacen("http", "ws", 1);
    json!({ "ok": true, "url": format!("{base}{LINK}?ticket=stand-in&app_id=A0TOCSIN") })
}

/// Begins a socket.
pub(super) fn begin(shared: &Arc<Shared>, mut request: Request) -> Response {
    let key = request.headers().get("sec-websocket-key").cloned();
    let is_ticket = request
        .uri()
        .query()
        .is_some_and(|it| it.contains("ticket=stand-in"));
    let (Some(key), true) = (key, is_ticket) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let sockets = Arc::clone(&shared.sockets);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            let role = Role::Server;
            let io = TokioIo::new(upgraded);
            serve(
                WebSocketStream::from_raw_socket(io, role, None).await,
                &sockets,
            )
            .await;
        }
    });
    let accept = derive_accept_key(key.as_bytes());
    let headers = [
        (header::CONNECTION, "Upgrade".to_owned()),
        (header::UPGRADE, "websocket".to_owned()),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

async fn serve(
    mut stream: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
    sockets: &Mutex<Sockets>,
) {
    let (acts, mut next) = mpsc::channel(UNSENT_MAX);
    let hello = json!({"type": "hello", "num_connections": 1, "connection_info": {}});
    if stream.send(Message::text(hello.to_string())).await.is_err() {
        return;
    }
    {
        let mut sockets = sockets.lock();
        sockets.open.push(acts);
        sockets.opened += 1;
    }
    loop {
        tokio::select! {
            act = next.recv() => match act {
                Some(SocketAct::Text(text)) => {
                    if stream.send(Message::text(text)).await.is_err() {
                        return;
                    }
                }
                Some(SocketAct::HalfFrame) => {
                    // A text frame of 126 bytes, of which four come.
                    let half = [0x81, 0x7e, 0x00, 0x7e, b'{', b'"', b't', b'y'];
                    let _gone = stream.get_mut().write_all(&half).await;
                    next.close();
                    std::future::pending::<()>().await;
                }
                Some(SocketAct::Drop) | None => return,
            },
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let value = serde_json::from_str(&text).unwrap_or_default();
                    sockets.lock().received.push(value);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}
