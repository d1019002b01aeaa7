//! `tocsin serve`: runs the daemon until a signal stops it.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use tocsin_store::SledStore;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::ConfigArg;
use super::failure::Failure;
use crate::app::{App, Ingredients};
use crate::auth::{AckKey, NewToken, Token};
use crate::config::{self, Config};
use crate::http::Serving;
use crate::runtime::{Clock, TokenError};

/// File of the first admin token, in the data folder.
const TOKEN_FILE: &str = "admin.token";
/// Folder of compiled plugins, in the data folder.
const CACHE_FOLDER: &str = "aot";
/// Folder of the last good policies, in the data folder.
const POLICIES_FOLDER: &str = "policies.last-good";
/// Log filter when `TOCSIN_LOG` is not set.
const LOG_USUAL: &str = "info";
/// How long to keep answering requests in progress after the store failed, in milliseconds.
const ANSWER_MS: u64 = 2_000;
/// How long to wait for threads at shutdown, in milliseconds.
const THREADS_END_MS: u64 = 1_000;

/// `tocsin serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  tocsin init oncall && tocsin serve --config oncall/tocsin.toml\n\n\
                        TOCSIN_LOG sets the log filter, such as `warn` or `info,tocsin=debug`.\n\
                        SIGTERM or SIGINT stops the daemon after running requests and deliveries \
                        have finished, within [server] grace-s; a second signal stops it at once."
)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArg,
    /// Listen on this address instead of the configured one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Store data in this folder instead of the configured one
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Log format
    #[arg(long, value_enum, default_value = "text")]
    log: LogFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// Plain text
    Text,
    /// One JSON object per line
    Json,
}

/// Runs the daemon until a signal stops it.
///
/// # Errors
/// Exit code 2 when the configuration is not valid; 1 when the daemon cannot start or its store
/// fails.
pub(super) fn run(args: &ServeArgs, clock: Arc<dyn Clock>) -> Result<(), Failure> {
    let loaded = config::load(&args.config.config)?;
    log_to_stderr(args.log)?;
    for warning in &loaded.warnings.0 {
        tracing::warn!("{warning}");
    }
    let mut config = loaded.config;
    if let Some(listen) = args.listen {
        config.server.listen = listen;
        if !listen.ip().is_loopback() && config.server.public_url.is_none() {
            tracing::warn!("[server] has no public-url, so links in mails lead to {listen}");
        }
    }
    if let Some(folder) = &args.data_dir {
        config.store.path.clone_from(folder);
    }
    let runtime = super::runtime()?;
    let served = runtime.block_on(serve(config, clock));
    runtime.shutdown_timeout(Duration::from_millis(THREADS_END_MS));
    served
}

fn log_to_stderr(format: LogFormat) -> Result<(), Failure> {
    let wanted = std::env::var("TOCSIN_LOG").unwrap_or_default();
    let wanted = if wanted.is_empty() {
        LOG_USUAL
    } else {
        &wanted
    };
    let filter = EnvFilter::try_new(wanted).map_err(|error| {
        Failure::usage(format!(
            "TOCSIN_LOG is not valid: {error}; set it to error, warn, info, debug or trace"
        ))
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let set = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    set.map_err(|error| Failure::failed(format!("cannot set up logging: {error}")))
}

async fn serve(config: Config, clock: Arc<dyn Clock>) -> Result<(), Failure> {
    let mut signals = StopSignals::listen()?;
    let folder = config.store.path.clone();
    let (listen, grace) = (config.server.listen, config.server.grace_s);
    let app = build(config, clock, &folder).await?;
    for report in app.policies.faults().iter() {
        let in_force = match app.policies.hash() {
            Some(_) => "the last good ones are in force",
            None => "built-in verdicts page the fallback",
        };
        tracing::error!("the policies are broken, and {in_force} until they are fixed:\n{report}");
    }
    first_token(&app, &folder).await?;
    let listener = TcpListener::bind(listen).await;
    let listener = listener.with_context(|| {
        format!("cannot listen on {listen}; is another tocsin running? name another with --listen")
    })?;
    let serving = Serving::start(app, listener).await?;
    tracing::info!("listening on {}", serving.url());
    let failed = tokio::select! {
        () = signals.stopped() => None,
        error = serving.app.writer.failed() => Some(error),
    };
    if let Some(error) = failed {
        // What is on disk is now unknown, so nothing more is accepted or sent.
        // Requests in progress are still answered, with the reason.
        let limit = Duration::from_millis(ANSWER_MS);
        let _ended_or_not = tokio::time::timeout(limit, serving.close()).await;
        return Err(Failure::failed(format!("the store failed: {error}")));
    }
    tracing::info!("stopping: requests and deliveries have {grace} s to finish");
    tokio::select! {
        () = serving.stop(Duration::from_secs(grace)) => tracing::info!("stopped"),
        () = signals.stopped() => {
            return Err(Failure::failed("stopped by a second signal; running work was aborted"));
        }
    }
    Ok(())
}

/// The signals that end the daemon.
struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn listen() -> Result<Self, Failure> {
        let cannot = |error| Failure::failed(format!("cannot listen for signals: {error}"));
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(cannot)?,
            interrupt: signal(SignalKind::interrupt()).map_err(cannot)?,
        })
    }

    async fn stopped(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn build(config: Config, clock: Arc<dyn Clock>, folder: &Path) -> Result<Arc<App>, Failure> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot create the data folder {}", folder.display()))?;
    let store = SledStore::open(folder).map_err(|error| Failure::failed(error.to_string()))?;
    // Report a full disk at the start, before an alert has to be refused.
    let room = store.check_room();
    room.map_err(|error| Failure::failed(error.to_string()))?;
    let ingredients = Ingredients {
        clock,
        cache: Some(folder.join(CACHE_FOLDER)),
        policies_kept: Some(folder.join(POLICIES_FOLDER)),
        ack_key: AckKey::load_or_create(folder)?,
        ..Ingredients::on(Arc::new(store))?
    };
    Ok(App::build(config, ingredients).await?)
}

/// Creates the first admin token at the first start, and logs its file.
/// The empty file is durable before the token is created: a folder that cannot be written fails
/// the start, and after a crash in between, the empty file requests another token. An operator who
/// has lost every token can empty it too: whoever may write this file may read the whole store.
async fn first_token(app: &App, folder: &Path) -> Result<(), Failure> {
    let path = folder.join(TOKEN_FILE);
    let is_asked_for = std::fs::metadata(&path).is_ok_and(|it| it.len() == 0);
    if !is_asked_for && app.tokens.has_admin() {
        return Ok(());
    }
    let cannot = || format!("cannot write the admin token to {}", path.display());
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(cannot)?;
    std::fs::File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(cannot)?;
    let token = admin_token(app).await;
    let token = token.map_err(|error| Failure::failed(error.to_string()))?;
    writeln!(file, "{}", token.reveal())
        .and_then(|()| file.sync_all())
        .with_context(cannot)?;
    tracing::info!(
        "created an admin token in {}: keep it, and pass it with --token-file",
        path.display()
    );
    Ok(())
}

async fn admin_token(app: &App) -> Result<Token, TokenError> {
    let (tokens, config, writer) = (&app.tokens, &app.config, &app.writer);
    let now = app.clock.now();
    if let Some(token) = tokens.create_first_admin(config, now, writer).await? {
        return Ok(token);
    }
    Ok(app.issue(NewToken::admin("admin by file")).await?.0)
}

#[cfg(test)]
mod tests;
