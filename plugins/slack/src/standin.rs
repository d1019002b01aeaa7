//! A small fake Slack for this crate's tests: channels, messages and people, with injected faults.

use std::cell::RefCell;
use std::rc::Rc;
use tocsin_plugin_sdk::clock;
use tocsin_plugin_sdk::http::{Header, HttpError, Request, Response};
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::testing::FakeHost;
use tocsin_plugin_sdk::types::{EventBody, Job};

use crate::tests::deliver;

/// A fault that affects every request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Connections are refused.
    Down,
    /// `"ok": false` with this code.
    Refuses(&'static str),
    /// 429 with this `Retry-After` in seconds.
    Throttles(u64),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) private: bool,
    pub(crate) topic: String,
    pub(crate) purpose: String,
    pub(crate) members: Vec<String>,
    pub(crate) messages: Vec<Value>,
    /// Whether the app is a member.
    pub(crate) ours: bool,
    pub(crate) archived: bool,
}

#[derive(Debug, Default)]
struct World {
    channels: Vec<Channel>,
    fault: Option<Fault>,
    fails_once: Option<(&'static str, u16)>,
    refused: Option<(&'static str, &'static str)>,
    breaks: Option<(usize, Break)>,
    posts: u64,
}

/// How one request fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Break {
    /// It does not arrive.
    Before,
    /// It is carried out, and the response is a 500.
    After,
    /// It is carried out, and the response times out.
    Lost,
}

/// The stand-in, which receives the HTTP requests of a fake host.
#[derive(Clone)]
pub(crate) struct Slack {
    world: Rc<RefCell<World>>,
    pub(crate) host: FakeHost,
}

impl Slack {
    pub(crate) fn start() -> Self {
        let world = Rc::new(RefCell::new(World::default()));
        let answering = world.clone();
        let host = FakeHost::install(move |request| answering.borrow_mut().answer(request));
        host.set_config("base-url", "http://slack.test/api");
        Slack { world, host }
    }

    pub(crate) fn fault(&self, fault: Option<Fault>) {
        self.world.borrow_mut().fault = fault;
    }

    /// The next call of a method is carried out, but gets this status.
    pub(crate) fn fail_after(&self, method: &'static str, status: u16) {
        self.world.borrow_mut().fails_once = Some((method, status));
    }

    /// A method is refused with this code.
    pub(crate) fn refuse(&self, method: &'static str, code: &'static str) {
        self.world.borrow_mut().refused = Some((method, code));
    }

    /// The request after this many others fails.
    pub(crate) fn break_after(&self, others: usize, how: Break) {
        self.world.borrow_mut().breaks = Some((others, how));
    }

    /// Whether the request that is to fail has not been made yet.
    pub(crate) fn is_break_pending(&self) -> bool {
        self.world.borrow().breaks.is_some()
    }

    pub(crate) fn add_foreign_channel(&self, name: &str) {
        self.world.borrow_mut().create(name, false, false);
    }

    /// Adds channels of the app that are not archived.
    pub(crate) fn add_rooms(&self, count: usize) {
        let mut world = self.world.borrow_mut();
        for number in 0..count {
            world.create(&format!("old-{number}"), false, true);
        }
    }

    pub(crate) fn delete(&self, name: &str) {
        self.edit(name, |it| (it.id, it.name) = (String::new(), String::new()));
    }

    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Channel)) {
        let mut world = self.world.borrow_mut();
        edit(
            world
                .channels
                .iter_mut()
                .find(|it| it.name == name)
                .unwrap(),
        );
    }

    pub(crate) fn channels(&self) -> Vec<Channel> {
        self.world.borrow().channels.clone()
    }

    pub(crate) fn channel(&self, name: &str) -> Channel {
        let names: Vec<String> = self.channels().into_iter().map(|it| it.name).collect();
        let found = self.channels().into_iter().find(|it| it.name == name);
        found.unwrap_or_else(|| panic!("there is no {name} among {names:?}"))
    }

    /// Lets time pass, and runs each job when it is due.
    pub(crate) fn pass(&self, ms: u64) {
        let host = &self.host;
        let until = clock::now() + ms;
        loop {
            let due = host.next_job_due().filter(|it| *it <= until);
            let wait_ms = due.unwrap_or(until).saturating_sub(clock::now());
            host.advance_ms(wait_ms);
            let Some(job) = host.take_due_job() else {
                return;
            };
            let id = format!("j-{}-{}", host.requests().len(), host.jobs().len());
            let (topic, payload) = (job.topic, job.payload);
            deliver(self, &id, EventBody::Job(Job { topic, payload })).unwrap();
        }
    }

    /// How often a method was called.
    pub(crate) fn calls(&self, method: &str) -> usize {
        let requests = self.host.requests();
        let path = |url: &str| url.split('?').next().unwrap_or_default().to_owned();
        let called = requests.iter().map(|it| path(&it.url));
        called
            .filter(|it| it.ends_with(&format!("/{method}")))
            .count()
    }

    /// The texts of a channel's messages, oldest first.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let messages = self.channel(name).messages;
        messages
            .iter()
            .map(|it| it["text"].as_str().unwrap().to_string())
            .collect()
    }
}

impl World {
    fn answer(&mut self, request: &Request) -> Result<Response, HttpError> {
        assert_eq!(request.auth.as_deref(), Some("bot"));
        match self.fault {
            Some(Fault::Down) => return Err(HttpError::Connect("refused".into())),
            Some(Fault::Refuses(code)) => {
                return Ok(respond(200, &[], &json!({"ok": false, "error": code})));
            }
            Some(Fault::Throttles(seconds)) => {
                let seconds = seconds.to_string();
                return Ok(respond(
                    429,
                    &[("Retry-After", seconds.as_str())],
                    &json!({}),
                ));
            }
            None => {}
        }
        let broken = self.next_break();
        if let Some(Break::Before) = broken {
            return Err(HttpError::Connect("refused".into()));
        }
        let path = request.url.strip_prefix("http://slack.test/api/").unwrap();
        let (method, query) = path.split_once('?').unwrap_or((path, ""));
        let form = request
            .body
            .clone()
            .unwrap_or_else(|| query.as_bytes().to_vec());
        let answer = match self.call(method, &Params(form)) {
            Ok(mut answer) => {
                answer["ok"] = true.into();
                answer
            }
            Err(code) => json!({"ok": false, "error": code}),
        };
        match broken {
            Some(Break::After) => return Ok(respond(500, &[], &json!({}))),
            Some(Break::Lost) => return Err(HttpError::Timeout),
            Some(Break::Before) | None => {}
        }
        if let Some((failing, status)) = self.fails_once
            && failing == method
        {
            self.fails_once = None;
            return Ok(respond(status, &[], &json!({})));
        }
        Ok(respond(200, &[], &answer))
    }

    fn next_break(&mut self) -> Option<Break> {
        let (others, how) = self.breaks.take()?;
        if others == 0 {
            return Some(how);
        }
        self.breaks = Some((others - 1, how));
        None
    }

    fn call(&mut self, method: &str, params: &Params) -> Result<Value, &'static str> {
        if let Some((refused, code)) = self.refused
            && refused == method
        {
            return Err(code);
        }
        match method {
            "conversations.create" => {
                let name = params.get("name");
                if self.channels.iter().any(|it| it.name == name) {
                    return Err("name_taken");
                }
                let id = self.create(&name, params.get("is_private") == "true", true);
                Ok(json!({"channel": {"id": id, "name": name}}))
            }
            "conversations.open" => {
                let name = format!("@{}", params.get("users"));
                let known = self
                    .channels
                    .iter()
                    .find(|it| it.name == name)
                    .map(|it| it.id.clone());
                let id = known.unwrap_or_else(|| self.create(&name, true, true));
                Ok(json!({"channel": {"id": id}}))
            }
            "users.conversations" => {
                let ours = self.channels.iter().filter(|it| it.ours && !it.archived);
                let ours = ours.map(describe);
                Ok(json!({"channels": ours.collect::<Vec<Value>>()}))
            }
            _ => self.call_in_channel(method, params),
        }
    }

    fn call_in_channel(&mut self, method: &str, params: &Params) -> Result<Value, &'static str> {
        let id = params.get("channel");
        self.posts += 1;
        let ts = format!("{}.000100", 1_767_355_200 + self.posts);
        let taken = self.channels.iter().any(|it| it.name == params.get("name"));
        let channel = self
            .channels
            .iter_mut()
            .find(|it| it.id == id)
            .ok_or("channel_not_found")?;
        match method {
            "conversations.history" => {
                let top = channel.messages.iter();
                let top = top.filter(|it| it["thread_ts"].is_null() || it["broadcast"] == true);
                return Ok(json!({"messages": top.collect::<Vec<_>>()}));
            }
            "conversations.replies" => {
                let thread = params.get("ts");
                let inside = channel.messages.iter();
                let inside = inside.filter(|it| it["ts"] == thread || it["thread_ts"] == thread);
                return Ok(json!({"messages": inside.collect::<Vec<_>>()}));
            }
            "conversations.info" => return Ok(json!({"channel": describe(channel)})),
            "conversations.archive" if channel.archived => return Err("already_archived"),
            _ if channel.archived => return Err("is_archived"),
            "conversations.archive" => channel.archived = true,
            "conversations.rename" if taken => return Err("name_taken"),
            "conversations.rename" => channel.name = params.get("name"),
            "conversations.setTopic" => channel.topic = params.get("topic"),
            "conversations.setPurpose" => channel.purpose = params.get("purpose"),
            "conversations.invite" => {
                let user = params.get("users");
                if channel.members.contains(&user) {
                    return Err("already_in_channel");
                }
                channel.members.push(user);
            }
            "chat.postMessage" => {
                let mut message = json!({
                    "ts": ts,
                    "text": params.get("text"),
                    "blocks": params.json("blocks"),
                    "metadata": params.json("metadata"),
                });
                let thread = params.get("thread_ts");
                if !thread.is_empty() {
                    if !channel.messages.iter().any(|it| it["ts"] == thread) {
                        return Err("thread_not_found");
                    }
                    message["thread_ts"] = thread.into();
                    message["broadcast"] = (params.get("reply_broadcast") == "true").into();
                }
                channel.messages.push(message);
                return Ok(json!({"channel": id, "ts": ts}));
            }
            "chat.update" => {
                let ts = params.get("ts");
                let message = channel.messages.iter_mut().find(|it| it["ts"] == ts);
                let message = message.ok_or("message_not_found")?;
                message["text"] = params.get("text").into();
                message["blocks"] = params.json("blocks");
            }
            "chat.postEphemeral" => {}
            "pins.add" => {
                let ts = params.get("timestamp");
                let message = channel.messages.iter_mut().find(|it| it["ts"] == ts);
                message.ok_or("message_not_found")?["pinned"] = true.into();
            }
            _ => return Err("unknown_method"),
        }
        Ok(json!({}))
    }

    fn create(&mut self, name: &str, private: bool, ours: bool) -> String {
        let id = format!("C{}", self.channels.len() + 1);
        self.channels.push(Channel {
            id: id.clone(),
            name: name.into(),
            private,
            ours,
            ..Channel::default()
        });
        id
    }
}

/// Form-encoded parameters.
pub(crate) struct Params(pub(crate) Vec<u8>);

impl Params {
    /// All of them; a simple parser is enough for our own encoding.
    pub(crate) fn all(&self) -> std::collections::BTreeMap<String, String> {
        let text = std::str::from_utf8(&self.0).unwrap();
        let names = text.split('&').filter_map(|it| it.split('=').next());
        names.map(|it| (it.to_string(), self.get(it))).collect()
    }

    fn get(&self, name: &str) -> String {
        let request = tocsin_plugin_sdk::types::WebhookRequest {
            route: String::new(),
            method: String::new(),
            path: String::new(),
            query: String::new(),
            headers: Vec::new(),
            body: self.0.clone(),
            verified: true,
            idempotency_key: String::new(),
            received_at: 0,
        };
        request.form_field(name).unwrap_or_default()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.get(name)).unwrap_or_default()
    }
}

fn describe(channel: &Channel) -> Value {
    json!({
        "id": channel.id,
        "name": channel.name,
        "created": 1_767_355_200,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "topic": {"value": channel.topic},
        "purpose": {"value": channel.purpose},
    })
}

fn respond(status: u16, headers: &[(&str, &str)], body: &Value) -> Response {
    let header = |(name, value): &(&str, &str)| Header {
        name: (*name).into(),
        value: (*value).into(),
    };
    let headers = headers.iter().map(header).collect();
    Response {
        status,
        headers,
        body: body.to_string().into_bytes(),
        replayed: false,
    }
}
