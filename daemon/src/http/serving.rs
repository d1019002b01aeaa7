//! A daemon at work: what runs by itself runs, and its endpoints are open. The program, the demo
//! and the tests start and stop one the same way, so that none of them stops in an order of its
//! own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::serve::{Limits, serve};
use crate::app::App;

/// A daemon at work. Dropped, it goes on until the process ends.
pub struct Serving {
    pub app: Arc<App>,
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    endpoints: JoinHandle<()>,
}

impl Serving {
    /// Starts a daemon that is built, and opens its endpoints.
    ///
    /// # Errors
    /// When it cannot start.
    pub async fn start(app: Arc<App>, listener: TcpListener) -> Result<Self> {
        Self::start_within(Limits::default(), app, listener).await
    }

    /// Starts like [`start`](Self::start), within other limits of connections.
    ///
    /// # Errors
    /// When it cannot start.
    pub async fn start_within(
        limits: Limits,
        app: Arc<App>,
        listener: TcpListener,
    ) -> Result<Self> {
        let address = listener.local_addr()?;
        app.start().await?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let endpoints = tokio::spawn(serve(limits, Arc::clone(&app), listener, stopped));
        Ok(Self {
            app,
            address,
            stop,
            endpoints,
        })
    }

    /// Where the endpoints are, `http://ADDRESS:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Accepts no more connections, and waits until requests in progress have ended, within the
    /// configured grace.
    pub async fn close(self) {
        self.stop.cancel();
        // The endpoints end by themselves; that they broke was logged.
        let _ended = self.endpoints.await;
    }

    /// Stops: no new requests and deliveries; those in progress have `grace` to end.
    pub async fn stop(self, grace: Duration) {
        self.stop.cancel();
        self.app.drain(grace).await;
        self.close().await;
    }
}
