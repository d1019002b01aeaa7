//! Keeps the sockets of plugins open: connects, connects again with backoff, passes each frame to
//! the plugin, and sends its answer back after the commit.
//!
//! Two daemons on one store may both have a socket open. A service sends a frame to one of them,
//! and if it sends it again to the other, its id has been remembered; a plugin's commands take
//! effect once for each id.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tocsin_plugin_host::wit::WebhookResponse;
use tocsin_plugin_host::{Incoming, LoadedPlugin, PluginHost, Socket};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Inbound, NotHandled};

/// How often is looked for sockets that are wanted and not open.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Pause before the first attempt to connect again; each further one doubles it.
const BACKOFF_MIN: Duration = Duration::from_secs(1);
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// A socket that was open for so long worked, so the next pause is the first one.
const WORKED: Duration = Duration::from_secs(30);
/// How often the server is asked for a sign of life, and how long it may be silent.
const PING_EVERY: Duration = Duration::from_secs(6);
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// Frames of one socket that are handled at a time; while there are so many, none is read.
const FRAMES_MAX: usize = 16;
/// How long a socket that was replaced is still read and answered.
const LINGER: Duration = Duration::from_secs(15);
/// A plugin's answer to a frame after which the socket is replaced by a new one (HTTP's "reset
/// content").
const REPLACE: u16 = 205;

/// Keeps the sockets of all plugins open until it is stopped.
pub async fn keep_open(host: Arc<PluginHost>, inbound: Inbound, stop: CancellationToken) {
    let kept: Arc<Mutex<BTreeSet<(String, String)>>> = Arc::default();
    while !stop.is_cancelled() {
        for plugin in host.plugins() {
            for socket in plugin.sockets() {
                let key = (plugin.id(), socket.clone());
                if !kept.lock().insert(key.clone()) {
                    continue;
                }
                let keeper = Keeper {
                    plugin: plugin.clone(),
                    socket,
                    inbound: inbound.clone(),
                    stop: stop.clone(),
                };
                let kept = Arc::clone(&kept);
                // One that panicked is started again at the next look.
                tokio::spawn(async move {
                    if let Err(error) = tokio::spawn(keeper.run()).await {
                        let (plugin, socket) = &key;
                        tracing::error!(plugin, socket, %error, "the task of a socket panicked");
                    }
                    kept.lock().remove(&key);
                });
            }
        }
        tokio::select! {
            () = sleep(LOOK_EVERY) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Keeps one socket open.
#[derive(Clone)]
struct Keeper {
    plugin: LoadedPlugin,
    socket: String,
    inbound: Inbound,
    stop: CancellationToken,
}

/// Why a socket is to be opened anew.
enum Next {
    /// The service wants it replaced; the old one is still read.
    Replace,
    Failed(String),
}

impl Keeper {
    async fn run(self) {
        let mut pause = BACKOFF_MIN;
        while !self.stop.is_cancelled() && self.is_wanted() {
            let began = Instant::now();
            let next = tokio::select! {
                next = self.one() => next,
                () = self.stop.cancelled() => return,
            };
            let worked = began.elapsed() >= WORKED;
            if worked {
                pause = BACKOFF_MIN;
            }
            let failed = match next {
                Next::Replace if worked => continue,
                Next::Replace => "the service had it replaced at once".to_owned(),
                Next::Failed(why) => why,
            };
            let (plugin, socket, wait_s) = (self.plugin.id(), &self.socket, pause.as_secs());
            tracing::warn!(plugin, socket, why = failed, wait_s, "a socket is not open");
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stop.cancelled() => return,
            }
            pause = (pause * 2).min(BACKOFF_MAX);
        }
    }

    fn is_wanted(&self) -> bool {
        self.plugin.sockets().contains(&self.socket)
    }

    /// Opens it, and returns when it has to be opened anew.
    async fn one(&self) -> Next {
        let socket = match self.plugin.open_socket(&self.socket).await {
            Ok(socket) => socket,
            Err(error) => return Next::Failed(error.to_string()),
        };
        tracing::info!(
            plugin = self.plugin.id(),
            socket = self.socket,
            "a socket is open"
        );
        let (tell, mut told) = mpsc::channel(2);
        let reader = self.clone();
        // It goes on by itself, so that what a replaced socket still brings is answered.
        tokio::spawn(async move { reader.read(socket, tell).await });
        let gone = || Next::Failed("its task ended".to_owned());
        told.recv().await.unwrap_or_else(gone)
    }

    /// Passes frames to the plugin, and sends its answers.
    async fn read(self, mut socket: Socket, tell: mpsc::Sender<Next>) {
        let (answers, mut answered) = mpsc::channel::<WebhookResponse>(FRAMES_MAX);
        let slots = Arc::new(Semaphore::new(FRAMES_MAX));
        let mut ping = tokio::time::interval(PING_EVERY);
        let (mut heard, mut ends) = (Instant::now(), None);
        let why = loop {
            let end = ends.unwrap_or(heard + SILENCE_MAX);
            let free = async { Arc::clone(&slots).acquire_owned().await.ok() };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break "the daemon is stopping".to_owned(),
                Some(answer) = answered.recv() => {
                    if answer.status == REPLACE && ends.is_none() {
                        ends = Some(Instant::now() + LINGER);
                        // Nobody listens any more if the keeper has been stopped.
                        let _ = tell.try_send(Next::Replace);
                    }
                    let text = String::from_utf8(answer.body).unwrap_or_default();
                    if !text.is_empty() && let Err(why) = socket.send(text).await {
                        break why;
                    }
                }
                _ = ping.tick() => if let Err(why) = socket.ping().await {
                    break why;
                },
                () = sleep_until(end) => break "the server is silent".to_owned(),
                (slot, incoming) = async { (free.await, socket.next().await) } => {
                    heard = Instant::now();
                    match incoming {
                        Incoming::Text(frame) => {
                            let (keeper, answers) = (self.clone(), answers.clone());
                            tokio::spawn(async move {
                                keeper.handle(frame, &answers).await;
                                drop(slot);
                            });
                        }
                        Incoming::Alive => {}
                        Incoming::Closed(why) => break why,
                    }
                }
            }
        };
        let _ = tell.try_send(Next::Failed(why));
    }

    async fn handle(&self, frame: String, answers: &mpsc::Sender<WebhookResponse>) {
        let handled = match self.plugin.check_frame(&self.socket, frame) {
            Ok(checked) => self.inbound.handle(&self.plugin, checked).await,
            Err(failure) => Err(NotHandled::Failed(failure)),
        };
        match handled {
            Ok(answer) if answer.status < 300 => {
                // The socket may be closed by now; then the service sends the frame again.
                let _ = answers.send(answer).await;
            }
            Ok(answer) => {
                let (plugin, socket, status) = (self.plugin.id(), &self.socket, answer.status);
                tracing::warn!(plugin, socket, status, "a frame was refused by its plugin");
            }
            Err(error) => {
                let (plugin, socket) = (self.plugin.id(), &self.socket);
                tracing::error!(plugin, socket, %error, "a frame was not handled");
            }
        }
    }
}
