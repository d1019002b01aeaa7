//! Serves connections, with limits on their number and on how long a client may take to send and
//! to read.

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

use super::connection_limiter::{ConnectionLimiter, ConnectionSlot, RequestBody};
use super::router;
use super::write_timeout::WriteTimeout;
use crate::app::App;

/// Most concurrent connections. Another one replaces the connection whose client has kept the
/// daemon waiting longest, or waits while all of them are being answered.
pub const CONNECTIONS_MAX: usize = 1_024;
/// How long the headers of a request may take to arrive, and a connection may be idle between
/// requests, in milliseconds.
pub const HEADER_READ_MS_MAX: u64 = 30_000;
/// How long a client may take to read its whole response, in milliseconds.
pub const RESPONSE_READ_MS_MAX: u64 = 30_000;
/// Most bytes of a request's headers that are buffered.
const HEADER_BYTES_MAX: usize = 64 * 1_024;
/// Delay after a failed accept, in milliseconds: the process may be out of file descriptors.
const ACCEPT_RETRY_MS: u64 = 100;
/// How often a connection over the limit tries again, in milliseconds.
const PERMIT_RETRY_MS: u64 = 20;

/// Connection limits; tests set lower ones.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most concurrent connections.
    pub connections: usize,
    /// For the headers of a request, and between requests.
    pub header_read: Duration,
    /// For the client to read its response.
    pub response_read: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS_MAX,
            header_read: Duration::from_millis(HEADER_READ_MS_MAX),
            response_read: Duration::from_millis(RESPONSE_READ_MS_MAX),
        }
    }
}

/// Serves until `stop`; then accepts no more connections, lets requests in progress finish within
/// the configured grace, and returns.
pub(super) async fn serve(
    limits: Limits,
    app: Arc<App>,
    listener: TcpListener,
    stop: impl Future<Output = ()>,
) {
    let grace = Duration::from_secs(app.config.server.grace_s);
    let router = router(app);
    let (connection_limiter, permits) =
        (Arc::default(), Arc::new(Semaphore::new(limits.connections)));
    let (closing, open) = (CancellationToken::new(), TaskTracker::new());
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let accepted = listener.accept().await?;
            Ok::<_, std::io::Error>((permit(&permits, &connection_limiter).await, accepted.0))
        };
        let next = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        match next {
            Ok((permit, stream)) => {
                let (router, closing) = (router.clone(), closing.clone());
                let slot = connection_limiter.slot();
                open.spawn(async move {
                    let _permit = permit;
                    connection(limits, router, stream, &slot, closing).await;
                    slot.remove();
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
    drop(listener);
    closing.cancel();
    open.close();
    if tokio::time::timeout(grace, open.wait()).await.is_err() {
        tracing::warn!("some requests did not finish within the grace");
    }
}

/// A permit for one more connection; when there is none, closes the connection that has kept the
/// daemon waiting longest. `None` only if the semaphore is closed, which never happens.
async fn permit(
    permits: &Arc<Semaphore>,
    connection_limiter: &ConnectionLimiter,
) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return Some(permit);
        }
        let _closed = connection_limiter.close_slowest();
        let free = Arc::clone(permits).acquire_owned();
        let retry = Duration::from_millis(PERMIT_RETRY_MS);
        if let Ok(permit) = tokio::time::timeout(retry, free).await {
            return permit.ok();
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
    // Without it a small response may wait for the TCP acknowledgement of the previous one.
    let _optional = stream.set_nodelay(true);
    let (on_request, on_response) = (Arc::clone(slot), Arc::clone(slot));
    let service = router
        .map_request(move |request: Request<Incoming>| {
            request.map(|body| Body::new(RequestBody::new(body, Arc::clone(&on_request))))
        })
        .map_response(move |answer| {
            on_response.set_waiting();
            answer
        });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // A client that has closed its sending side still waits for its response.
        .half_close(true)
        .header_read_timeout(limits.header_read)
        .max_buf_size(HEADER_BYTES_MAX);
    let stream = TokioIo::new(WriteTimeout::new(stream, limits.response_read));
    let served = builder.serve_connection(stream, TowerToHyperService::new(service));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = slot.closed() => {
            tracing::debug!("closed a connection: there are too many");
            return;
        }
        () = closing.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection failed");
    }
}
