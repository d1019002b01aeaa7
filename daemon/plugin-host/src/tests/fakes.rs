//! In-memory services, and a server on loopback whose behavior depends on the path.

use crate::capability::Reply;
use crate::capability::clock::ClockService;
use crate::capability::commands::{CommandCaller, CommandReply, CommandService};
use crate::capability::effects::{EffectKey, EffectService, EffectState};
use crate::capability::jobs::JobService;
use crate::capability::kv::{KvService, KvUsage};
use crate::capability::mail::MailService;
use crate::capability::people::{PeopleService, PersonKey};
use crate::wit::commands::{Actor, PageReceipt};
use crate::wit::{KvEntry, KvError, KvPage, Person};
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

#[derive(Default)]
pub(super) struct FakeServices {
    pub(super) now_ms: AtomicU64,
    /// Each signal with its caller.
    pub(super) signals: Mutex<Vec<(CommandCaller, String)>>,
    pub(super) effects: Mutex<HashMap<EffectKey, EffectState>>,
    pub(super) jobs_waiting: AtomicUsize,
    pub(super) people: Mutex<Vec<Person>>,
    pub(super) look_ups: AtomicUsize,
    /// Acknowledged pages and receipts, as `ack PAGE by KIND ID` and `seen PAGE`.
    pub(super) pages: Mutex<Vec<String>>,
    kv: Mutex<BTreeMap<String, KvEntry>>,
    usage: Mutex<KvUsage>,
}

fn now<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    ready(value).boxed()
}

impl ClockService for FakeServices {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }
}

impl MailService for FakeServices {}

impl PeopleService for FakeServices {
    fn person<'a>(&'a self, key: PersonKey<'a>) -> Reply<'a, Option<Person>> {
        self.look_ups.fetch_add(1, Ordering::Relaxed);
        let people = self.people.lock();
        let found = people.iter().find(|it| key.matches(it));
        now(Ok(found.cloned()))
    }
}

impl JobService for FakeServices {
    fn jobs_waiting<'a>(&'a self, _: &'a str) -> Reply<'a, usize> {
        now(Ok(self.jobs_waiting.load(Ordering::Relaxed)))
    }
}

impl CommandService for FakeServices {
    fn send_signal(&self, caller: CommandCaller, signal: String) -> CommandReply<'_, ()> {
        self.signals.lock().push((caller, signal));
        now(Ok(()))
    }

    fn acknowledge_page(
        &self,
        _: CommandCaller,
        page_id: String,
        _: Option<String>,
        by: Actor,
    ) -> CommandReply<'_, String> {
        let line = format!("ack {page_id} by {} {}", by.kind, by.id);
        self.pages.lock().push(line);
        now(Ok("Acknowledged.".into()))
    }

    fn report_receipt(
        &self,
        _: CommandCaller,
        page_id: String,
        receipt: PageReceipt,
        _: Option<Actor>,
    ) -> CommandReply<'_, ()> {
        let what = match receipt {
            PageReceipt::Seen => "seen",
            PageReceipt::Pressed => "pressed",
        };
        self.pages.lock().push(format!("{what} {page_id}"));
        now(Ok(()))
    }

    fn link_incident(
        &self,
        _: CommandCaller,
        _: String,
        _: String,
        _: String,
        _: Option<String>,
    ) -> CommandReply<'_, ()> {
        now(Ok(()))
    }
}

impl EffectService for FakeServices {
    fn effect_begin<'a>(&'a self, effect: &'a EffectKey) -> Reply<'a, EffectState> {
        let mut effects = self.effects.lock();
        let state = effects.get(effect).cloned().unwrap_or(EffectState::New);
        effects
            .entry(effect.clone())
            .or_insert(EffectState::Started);
        now(Ok(state))
    }

    fn effect_finish<'a>(&'a self, effect: &'a EffectKey, answer: Vec<u8>) -> Reply<'a, ()> {
        let finished = EffectState::Finished(answer);
        self.effects.lock().insert(effect.clone(), finished);
        now(Ok(()))
    }

    fn effect_forget<'a>(&'a self, effect: &'a EffectKey) -> Reply<'a, ()> {
        self.effects.lock().remove(effect);
        now(Ok(()))
    }
}

impl KvService for FakeServices {
    fn kv_get<'a>(&'a self, _: &'a str, key: &'a str) -> Reply<'a, Option<KvEntry>, KvError> {
        now(Ok(self.kv.lock().get(key).cloned()))
    }

    fn kv_set<'a>(
        &'a self,
        _: &'a str,
        key: &'a str,
        value: Vec<u8>,
        _: Option<u64>,
    ) -> Reply<'a, u64, KvError> {
        let mut kv = self.kv.lock();
        let mut usage = self.usage.lock();
        let old = kv.get(key);
        let revision = old.map_or(0, |entry| entry.revision) + 1;
        match usage.after_write(key, old.map(|entry| entry.value.len()), value.len()) {
            Ok(after) => *usage = after,
            Err(error) => return now(Err(error)),
        }
        kv.insert(key.to_owned(), KvEntry { value, revision });
        now(Ok(revision))
    }

    fn kv_swap<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> Reply<'a, u64, KvError> {
        if self.kv.lock().get(key).map(|entry| entry.revision) != expected {
            return now(Err(KvError::Conflict));
        }
        self.kv_set(plugin, key, value, ttl_ms)
    }

    /// The key `hang` never returns, the key `panic` panics.
    fn kv_delete<'a>(&'a self, _: &'a str, key: &'a str) -> Reply<'a, bool, KvError> {
        match key {
            "hang" => return std::future::pending().boxed(),
            "panic" => panic!("a fault of the daemon"),
            _ => {}
        }
        now(Ok(self.kv.lock().remove(key).is_some()))
    }

    fn kv_keys<'a>(
        &'a self,
        _: &'a str,
        prefix: &'a str,
        cursor: Option<&'a str>,
        limit: u32,
    ) -> Reply<'a, KvPage, KvError> {
        let kv = self.kv.lock();
        let after =
            |key: &&String| key.starts_with(prefix) && cursor.is_none_or(|at| key.as_str() > at);
        let keys = kv
            .keys()
            .filter(after)
            .take(limit as usize)
            .cloned()
            .collect();
        now(Ok(KvPage { keys, cursor: None }))
    }
}

/// Responds by path: `/echo` with the request itself, `/to?URL` with a redirect, `/leak` with the
/// authorization header, `/status/N`, `/big`, `/zipped`, `/bomb`, `/hang`, `/drop`.
pub(super) struct Server {
    pub(super) origin: String,
    pub(super) seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let requests = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&requests)));
            }
        });
        Self { origin, seen }
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !complete(&request) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.push_str(&String::from_utf8_lossy(&buffer[..read])),
        }
    }
    seen.lock().push(request.clone());
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let answer = match target.split(['?', '/']).nth(1).unwrap_or_default() {
        "to" => {
            let to = target.split_once('?').map_or("", |(_, to)| to);
            format!(
                "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: {to}\r\n\
                 content-length: 0\r\n\r\n"
            )
        }
        "away" => {
            let token = request.split("Bearer ").nth(1).unwrap_or_default();
            let token = token.lines().next().unwrap_or_default();
            format!(
                "HTTP/1.1 302 Found\r\nconnection: close\r\n\
                 location: http://evil.example/{token}\r\ncontent-length: 0\r\n\r\n"
            )
        }
        "status" => {
            let status = target.rsplit('/').next().unwrap_or("500");
            format!("HTTP/1.1 {status} Thing\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        }
        "leak" => {
            let token = request
                .lines()
                .find(|line| line.starts_with("authorization"));
            let token = token.unwrap_or("none");
            ok(
                &format!("your header was {token}"),
                &format!("x-token: {token}\r\n"),
            )
        }
        "big" => ok(&"x".repeat(5 << 20), ""),
        "zipped" | "bomb" => {
            let body = match target.as_str() {
                "/bomb" => "x".repeat(20 << 20),
                _ => format!("zipped {}", super::rig::SECRET),
            };
            let _ = stream.write_all(&zipped(&body)).await;
            let _ = stream.shutdown().await;
            return;
        }
        "hang" => return std::future::pending().await,
        "drop" => return,
        _ => ok(&request, "set-cookie: a=b\r\n"),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn zipped(body: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body.as_bytes()).unwrap();
    let body = encoder.finish().unwrap();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\n\
         content-length: {length}\r\n\r\n"
    );
    [head.into_bytes(), body].concat()
}

fn ok(body: &str, headers: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

fn complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    body.len() >= length.unwrap_or(0)
}
