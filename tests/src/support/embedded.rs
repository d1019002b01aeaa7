//! A whole daemon in the test's process, with a store on disk and HTTP endpoints.

use std::sync::Arc;

use tempfile::TempDir;
use tocsin::app::{App, Ingredients};
use tocsin::auth::{NewToken, Scope};
use tocsin::http::{Limits, Serving};
use tocsin_store::SledStore;
use tokio::net::TcpListener;

use crate::paths;

/// A running daemon and its temporary folder.
pub struct Embedded {
    pub serving: Serving,
    _dir: TempDir,
}

impl Embedded {
    /// Starts a daemon whose store and relative paths are in `dir`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(
        dir: TempDir,
        config: &str,
        listener: TcpListener,
        limits: Limits,
    ) -> anyhow::Result<Self> {
        let store = SledStore::open(&dir.path().join("data"))?;
        let ingredients = Ingredients {
            cache: Some(paths::tools().join("plugin-cache")),
            ..Ingredients::on(Arc::new(store))?
        };
        let app = App::embed(config, dir.path(), ingredients).await?;
        Ok(Self {
            serving: Serving::start_within(limits, app, listener).await?,
            _dir: dir,
        })
    }

    /// Creates a token with a scope, and with an integration for scope `ingest`.
    ///
    /// # Errors
    /// When it cannot be created.
    pub async fn token(&self, scope: Scope, integration: Option<&str>) -> anyhow::Result<String> {
        let wanted = NewToken {
            integration: integration.map(Into::into),
            ..NewToken::new(&format!("{scope} of the test"), scope)
        };
        Ok(self.serving.app.issue(wanted).await?.0.reveal().to_owned())
    }
}
