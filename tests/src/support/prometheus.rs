//! Debian's Prometheus, with one rule on a metric that the test sets: the alert `CheckoutDown`
//! fires while the service is down.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;

use super::debian;
use super::process::{Process, free_port};
use crate::{skip, wait};

const READY_WITHIN: Duration = Duration::from_secs(30);

const RULES: &str = include_str!("scripts/rules.yml");
const CONFIG: &str = include_str!("scripts/prometheus.yml");

/// Where Prometheus sends alerts.
#[derive(Clone, Debug)]
pub struct Sender {
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// A bearer token, if the receiver needs one.
    pub bearer: Option<String>,
}

/// A running Prometheus and its target.
pub struct Prometheus {
    pub process: Process,
    up: Arc<AtomicBool>,
    target: tokio::task::JoinHandle<()>,
}

impl Prometheus {
    /// Starts one that sends its alerts to `sender`, and waits until it is ready; `None`, reported
    /// as a skip of `test`, if the program is not available.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(test: &str, sender: &Sender) -> Result<Option<Self>, String> {
        let program = match debian::program("prometheus", "prometheus") {
            Ok(program) => program,
            Err(why) => {
                skip::skipped(test, &why);
                return Ok(None);
            }
        };
        let up = Arc::new(AtomicBool::new(true));
        let (watched, target) = watch(Arc::clone(&up))
            .await
            .map_err(|error| error.to_string())?;
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        let file = configure(dir.path(), sender, &watched).map_err(|error| error.to_string())?;
        let address = format!(
            "127.0.0.1:{}",
            free_port().map_err(|error| error.to_string())?
        );
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={file}"))
            .arg(format!(
                "--storage.tsdb.path={}",
                dir.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .arg("--rules.alert.resend-delay=1s");
        let process =
            Process::start("prometheus", &mut command, dir).map_err(|error| error.to_string())?;
        let ready = format!("http://{address}/-/ready");
        let found = wait::until("Prometheus", READY_WITHIN, async || {
            wait::answers(&ready).await
        });
        match found.await {
            Ok(()) => Ok(Some(Self {
                process,
                up,
                target,
            })),
            Err(late) => Err(format!("{late}\n{}", process.report())),
        }
    }

    /// Sets whether the service is up; the rule fires while it is down.
    pub fn set_up(&self, up: bool) {
        self.up.store(up, Ordering::SeqCst);
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.target.abort();
    }
}

/// Serves the one metric.
async fn watch(up: Arc<AtomicBool>) -> std::io::Result<(String, tokio::task::JoinHandle<()>)> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?.to_string();
    let metric = move || {
        let value = u8::from(up.load(Ordering::SeqCst));
        async move { format!("# TYPE checkout_up gauge\ncheckout_up {value}\n") }
    };
    let app = Router::new().route("/metrics", get(metric));
    let task = tokio::spawn(async move {
        // It ends with the test.
        let _ended = axum::serve(listener, app).await;
    });
    Ok((address, task))
}

fn configure(dir: &Path, sender: &Sender, watched: &str) -> std::io::Result<String> {
    fs::write(dir.join("rules.yml"), RULES)?;
    let bearer = sender.bearer.as_ref();
    let authorization = bearer.map(|it| format!("authorization: {{ credentials: '{it}' }}"));
    let text = CONFIG
        .replace("SENDER'", &format!("{}'", sender.address))
        .replace("WATCHED'", &format!("{watched}'"))
        .replace(
            "AUTHORIZATION\n",
            &format!("{}\n", authorization.unwrap_or_default()),
        );
    let file = dir.join("prometheus.yml");
    fs::write(&file, text)?;
    Ok(file.display().to_string())
}
