//! Connections: how many, how long a client may take to send and to read, and how they end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::connection_limiter::{ConnectionLimiter, ConnectionSlot, Watched};
use super::router;
use super::write_timeout::WriteTimeout;
use crate::app::App;

/// Connections at once. A further one takes the place of whichever has kept the daemon waiting
/// longest; it waits itself while every other is being answered.
pub const CONNECTIONS_MAX: usize = 1_024;
/// How long the headers of a request may take to arrive, and a kept connection may be idle, in
/// milliseconds.
pub const HEADER_READ_MS_MAX: u64 = 30_000;
/// How long a client may take to read its whole answer, in milliseconds.
pub const ANSWER_TAKEN_MS_MAX: u64 = 30_000;
/// Most bytes of a request's headers that are kept.
const HEADER_BYTES_MAX: usize = 64 * 1_024;
/// Wait after a failed accept, in milliseconds: the process may be out of descriptors.
const ACCEPT_RETRY_MS: u64 = 100;
/// How often a connection that finds no place looks for one again, in milliseconds.
const PLACE_LOOK_MS: u64 = 20;

/// Limits of connections; tests set lower ones.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// For the headers of a request, and between two requests.
    pub header_read: Duration,
    /// For the client to read its answer.
    pub answer_taken: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            header_read: Duration::from_millis(HEADER_READ_MS_MAX),
            answer_taken: Duration::from_millis(ANSWER_TAKEN_MS_MAX),
        }
    }
}

/// Serves until `stop`; then accepts no more connections, lets requests in progress end within
/// the configured grace, and returns.
pub(super) async fn serve(
    limits: Limits,
    app: Arc<App>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) {
    let grace = Duration::from_secs(app.config.server.grace_s);
    let router = router(app);
    let (connection_limiter, places) =
        (Arc::default(), Arc::new(Semaphore::new(limits.connections)));
    let (closing, open) = (CancellationToken::new(), TaskTracker::new());
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let accepted = listener.accept().await?;
            Ok::<_, std::io::Error>((place(&places, &connection_limiter).await, accepted.0))
        };
        let next = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        match next {
            Ok((place, stream)) => {
                let (router, closing) = (router.clone(), closing.clone());
                let slot = connection_limiter.slot();
                open.spawn(async move {
                    let _place = place;
                    connection(limits, router, stream, &slot, closing).await;
                    slot.leave();
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
    drop(listener);
    closing.cancel();
    open.close();
    if tokio::time::timeout(grace, open.wait()).await.is_err() {
        tracing::warn!("some requests did not end within the grace");
    }
}

/// A place for one more connection; when there is none, closes the one that has kept the daemon
/// waiting longest. Absent only when the semaphore is closed, which never happens.
async fn place(
    places: &Arc<Semaphore>,
    connection_limiter: &ConnectionLimiter,
) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Some(place);
        }
        let _shown_out = connection_limiter.close_slowest();
        let free = Arc::clone(places).acquire_owned();
        let look_again = Duration::from_millis(PLACE_LOOK_MS);
        if let Ok(place) = tokio::time::timeout(look_again, free).await {
            return place.ok();
        }
    }
}

async fn connection(
    limits: Limits,
    router: Router,
    stream: TcpStream,
    slot: &Arc<ConnectionSlot>,
    closing: CancellationToken,
) {
    // Without it a small answer may wait for the last one's acknowledgement.
    let _slower_only = stream.set_nodelay(true);
    let (asks, is_answered) = (Arc::clone(slot), Arc::clone(slot));
    let service = router
        .map_request(move |request: Request<Incoming>| {
            request.map(|body| Body::new(Watched::new(body, Arc::clone(&asks))))
        })
        .map_response(move |answer| {
            is_answered.waits();
            answer
        });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // A client that has closed its side still waits for its answer.
        .half_close(true)
        .header_read_timeout(limits.header_read)
        .max_buf_size(HEADER_BYTES_MAX);
    let stream = TokioIo::new(WriteTimeout::new(stream, limits.answer_taken));
    let served = builder.serve_connection(stream, TowerToHyperService::new(service));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = slot.closed() => {
            tracing::debug!("a connection was closed: there are too many");
            return;
        }
        () = closing.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
