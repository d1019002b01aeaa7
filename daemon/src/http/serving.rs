//! A running daemon with its HTTP endpoints. The program, the demo and the tests start and stop
//! it the same way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::serve::{Limits, serve};
use crate::app::App;

/// A running daemon. Dropping it does not stop the daemon.
pub struct Serving {
    pub app: Arc<App>,
    /// Where it listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    endpoints: JoinHandle<()>,
}

impl Serving {
    /// Starts the daemon and its endpoints.
    ///
    /// # Errors
    /// When it cannot start.
    pub async fn start(app: Arc<App>, listener: TcpListener) -> Result<Self> {
        Self::start_within(Limits::default(), app, listener).await
    }

    /// Like [`start`](Self::start), with other connection limits.
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

    /// The base URL of the endpoints, `http://ADDRESS:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Accepts no more connections, and waits for requests in progress, within the configured
    /// grace.
    pub async fn close(self) {
        self.stop.cancel();
        // Fails only after a panic, which has been reported.
        let _ended = self.endpoints.await;
    }

    /// Stops the daemon. Requests and deliveries in progress have `grace` to finish.
    pub async fn stop(self, grace: Duration) {
        self.stop.cancel();
        self.app.drain(grace).await;
        self.close().await;
    }
}
