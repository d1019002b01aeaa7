//! A fake host for tests in native builds.
//!
//! [`FakeHost::install`] makes it this thread's host; the plugin's functions are then called
//! directly. It implements what matters to a plugin's logic: revisions and expiry in the key-value
//! store, stored responses under `once`, and unknown outcomes after a lost response. It does not
//! check grants.

mod fixtures;
pub(crate) mod imports;

pub use fixtures::{
    bundle, change, cleared, event, incident, page, page_item, person, prompt, reminder, test_page,
};

use crate::commands::CommandError;
use crate::http::{HttpError, Request, Response};
use crate::mail::Email;
use crate::types::{Actor, Delivery, Incident, Person, Timestamp};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

type Answer = Result<Response, HttpError>;
type Outside = Box<dyn FnMut(&Request) -> Answer>;

/// A stand-in's response with a JSON body.
#[must_use]
pub fn respond(status: u16, body: &serde_json::Value) -> Response {
    Response {
        status,
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
        replayed: false,
    }
}

/// The fields of a form-encoded body or query. A repeated field has the last value.
#[must_use]
pub fn form_fields(encoded: &[u8]) -> BTreeMap<String, String> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// Asserts that a plugin's manifest subscribes to the events that it handles, and has its version.
///
/// # Panics
/// When an event or the version is missing.
pub fn assert_manifest(manifest: &str, events: &[&str], version: &str) {
    for event in events {
        assert!(manifest.contains(&format!("    \"{event}\",\n")), "{event}");
    }
    let version = format!("version = \"{version}\"");
    assert!(manifest.contains(&version), "{version}");
}

/// A command that the plugin sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The function, e.g. "run" or "link".
    pub verb: &'static str,
    /// The incident, the page or the prompt.
    pub id: Option<String>,
    /// The line, the choice, the item of the page (empty for all), `seen` or `pressed`, or the
    /// JSON.
    pub text: String,
    /// Who sent it, if the function takes an actor.
    pub by: Option<Actor>,
}

/// A job that the plugin enqueued.
#[derive(Clone, Debug, PartialEq)]
pub struct QueuedJob {
    /// The job's topic.
    pub topic: String,
    /// The job's payload, as JSON text.
    pub payload: String,
    /// Milliseconds to wait.
    pub delay_ms: u64,
    /// A waiting job with the same key is replaced.
    pub dedup_key: Option<String>,
}

/// The fake host of one test. Clones share their state.
#[derive(Clone)]
pub struct FakeHost(Rc<RefCell<State>>);

/// A value in the key-value store.
#[derive(Clone)]
struct Stored {
    value: Vec<u8>,
    revision: u64,
    expires_at: Option<Timestamp>,
}

impl Stored {
    fn is_kept(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }
}

struct State {
    now: Timestamp,
    /// Random bytes that were drawn.
    drawn: u32,
    delivery: String,
    config: BTreeMap<String, String>,
    secrets_unset: BTreeSet<String>,
    kv: BTreeMap<String, Stored>,
    kv_revision: u64,
    outside: Outside,
    lose_answer: Option<String>,
    remembered: BTreeMap<String, Response>,
    started: BTreeSet<String>,
    requests: Vec<Request>,
    mails: Vec<Email>,
    jobs: Vec<QueuedJob>,
    /// Those that were not taken, each with when it is due.
    waiting: Vec<(Timestamp, QueuedJob)>,
    commands: Vec<Command>,
    command_answer: Result<String, CommandError>,
    incidents: BTreeMap<String, Incident>,
    refs: BTreeMap<(String, String), String>,
    people: Vec<Person>,
    logs: Vec<String>,
}

thread_local! {
    static HOST: RefCell<Option<FakeHost>> = const { RefCell::new(None) };
}

impl FakeHost {
    /// Makes a new fake this thread's host. `outside` responds to every HTTP request.
    pub fn install(outside: impl FnMut(&Request) -> Answer + 'static) -> Self {
        let host = FakeHost(Rc::new(RefCell::new(State::new(Box::new(outside)))));
        HOST.with(|slot| *slot.borrow_mut() = Some(host.clone()));
        host
    }

    /// Sets a setting; a list as JSON.
    pub fn set_config(&self, key: &str, value: &str) {
        self.0.borrow_mut().config.insert(key.into(), value.into());
    }

    /// Removes an optional secret; all of them are set at first.
    pub fn unset_secret(&self, name: &str) {
        self.0.borrow_mut().secrets_unset.insert(name.into());
    }

    /// Starts a call of a delivery, with a deadline in ten seconds. Responses under `once` are
    /// stored per delivery, so the same id again is a retry.
    pub fn begin(&self, id: &str) -> Delivery {
        let mut state = self.0.borrow_mut();
        state.delivery = id.into();
        Delivery {
            id: id.into(),
            attempt: 1,
            max_attempts: 12,
            idempotency_key: id.into(),
            deadline: state.now + 10_000,
            traceparent: None,
            extra: "{}".into(),
        }
    }

    /// Advances the clock.
    pub fn advance_ms(&self, ms: u64) {
        self.0.borrow_mut().now += ms;
    }

    /// Carries out the next request to a URL with this suffix, but loses the response; with the
    /// method before the whole URL, the next one of that method.
    pub fn lose_answer(&self, url_ends_with: &str) {
        self.0.borrow_mut().lose_answer = Some(url_ends_with.into());
    }

    /// Adds an incident for `commands::get`.
    pub fn add_incident(&self, incident: &Incident) {
        self.0
            .borrow_mut()
            .incidents
            .insert(incident.id.clone(), incident.clone());
    }

    /// Adds a person for `people::by_contact`.
    pub fn add_person(&self, person: &Person) {
        self.0.borrow_mut().people.push(person.clone());
    }

    /// Sets the result of `run`, `acknowledge`, `receipt` and `answer` from now on; an error is
    /// also that of `open`.
    pub fn answer_commands(&self, answer: Result<String, CommandError>) {
        self.0.borrow_mut().command_answer = answer;
    }

    /// The requests that were sent, without replays.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.0.borrow().requests.clone()
    }

    /// The commands that the plugin sent.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        self.0.borrow().commands.clone()
    }

    /// All jobs that the plugin ever enqueued.
    #[must_use]
    pub fn jobs(&self) -> Vec<QueuedJob> {
        self.0.borrow().jobs.clone()
    }

    /// Takes the job that is due first, if one is due at the host's time.
    #[must_use]
    pub fn take_due_job(&self) -> Option<QueuedJob> {
        let mut state = self.0.borrow_mut();
        let now = state.now;
        let jobs = state.waiting.iter().enumerate();
        let due = jobs.filter(|(_, it)| it.0 <= now);
        let first = due.min_by_key(|(place, it)| (it.0, *place))?.0;
        Some(state.waiting.remove(first).1)
    }

    /// When the next job is due that was not taken.
    #[must_use]
    pub fn next_job_due(&self) -> Option<Timestamp> {
        let state = self.0.borrow();
        state.waiting.iter().map(|it| it.0).min()
    }

    /// The e-mails that the plugin sent.
    #[must_use]
    pub fn mails(&self) -> Vec<Email> {
        self.0.borrow().mails.clone()
    }

    /// The log lines that the plugin wrote, as `level: message`.
    #[must_use]
    pub fn logs(&self) -> Vec<String> {
        self.0.borrow().logs.clone()
    }

    /// This thread's host.
    ///
    /// # Panics
    /// When no test installed one.
    fn current() -> Self {
        let found = HOST.with(|slot| slot.borrow().clone());
        found.unwrap_or_else(|| panic!("no fake host: call FakeHost::install in the test first"))
    }
}

impl State {
    fn new(outside: Outside) -> Self {
        State {
            now: fixtures::NOON,
            drawn: 0,
            delivery: "delivery-1".into(),
            config: BTreeMap::new(),
            secrets_unset: BTreeSet::new(),
            kv: BTreeMap::new(),
            kv_revision: 0,
            outside,
            lose_answer: None,
            remembered: BTreeMap::new(),
            started: BTreeSet::new(),
            requests: Vec::new(),
            mails: Vec::new(),
            jobs: Vec::new(),
            waiting: Vec::new(),
            commands: Vec::new(),
            command_answer: Ok("done".into()),
            incidents: BTreeMap::new(),
            refs: BTreeMap::new(),
            people: Vec::new(),
            logs: Vec::new(),
        }
    }
}

impl std::fmt::Debug for FakeHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeHost")
    }
}
