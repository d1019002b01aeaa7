//! Connections: how many, how long they may take to ask, and how they end.

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
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::router;
use crate::app::App;

/// Connections at once; further ones wait in the system's queue.
pub const CONNECTIONS_MAX: usize = 1_024;
/// How long the headers of a request may take to come in, and a kept connection may be idle, in
/// milliseconds.
pub const HEADER_READ_MS_MAX: u64 = 30_000;
/// Most bytes of a request's headers that are kept.
const HEADER_BYTES_MAX: usize = 64 * 1_024;
/// Wait after a failed accept, in milliseconds: the process may be out of descriptors.
const ACCEPT_RETRY_MS: u64 = 100;

/// Serves until `stop`; then takes no more connections, lets requests under way end within the
/// configured grace, and returns.
pub async fn serve(app: Arc<App>, listener: TcpListener, stop: impl Future<Output = ()>) {
    let grace = Duration::from_secs(app.config.server.grace_s);
    let router = router(app);
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (closing, open) = (CancellationToken::new(), TaskTracker::new());
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, closing) = (router.clone(), closing.clone());
                open.spawn(async move {
                    let _slot = slot;
                    connection(router, stream, closing).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
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

async fn connection(router: Router, stream: TcpStream, closing: CancellationToken) {
    // Without it a small answer may wait for the last one's acknowledgement.
    let _slower_only = stream.set_nodelay(true);
    let service = router.map_request(|request: Request<Incoming>| request.map(Body::new));
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(HEADER_READ_MS_MAX))
        .max_buf_size(HEADER_BYTES_MAX);
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = closing.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}
