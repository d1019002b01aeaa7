//! Tests the plugin against a stand-in that refuses what GitLab refuses.

mod faults;
mod hooks;
mod issues;
mod remarks;
mod secret;
pub(crate) mod the_end;
pub(crate) mod updates;

use crate::{EVENTS, GitLab as ThePlugin};
use std::cell::RefCell;
use std::rc::Rc;
use tocsin_plugin_sdk::Plugin;
use tocsin_plugin_sdk::http::Header;
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::testing::{self, FakeHost, change, event, incident};
use tocsin_plugin_sdk::types::{
    EventBody, Failure, Incident, Job, Outcome, WebhookRequest, WebhookResponse,
};
use tocsin_standins::gitlab::{GitLab, Issue, TOKEN};
use tocsin_standins::{Asked, install};

/// The fake host's first time, in seconds.
const NOON_S: u64 = 1_767_355_200;

pub(crate) struct World {
    pub(crate) host: FakeHost,
    pub(crate) gitlab: Rc<RefCell<GitLab>>,
}

impl World {
    pub(crate) fn start() -> Self {
        Self::with(GitLab::default(), "https://gitlab.example/")
    }

    fn with(gitlab: GitLab, base_url: &str) -> Self {
        let credential = |right: &str, asked: &mut Asked| {
            assert_eq!(right, "token");
            asked.set_header("private-token", TOKEN);
        };
        let (host, gitlab) = install(gitlab, credential);
        gitlab.borrow_mut().now_s = NOON_S;
        let settings = [
            ("base-url", base_url),
            ("project", "ops/incidents"),
            ("labels", r#"["incident"]"#),
            ("changes", r#"["deployment", "release", "tag"]"#),
            ("environments", r#"["production"]"#),
        ];
        for (key, value) in settings {
            host.set_config(key, value);
        }
        World { host, gitlab }
    }

    /// Delivers an event; the event's id is the delivery's, so a second call is a retry.
    pub(crate) fn deliver(&self, id: &str, body: EventBody) -> Result<Outcome, Failure> {
        let delivery = self.host.begin(id);
        ThePlugin::on_event(event(id, body), &delivery)
    }

    /// Delivers a change to this state.
    pub(crate) fn change(&self, after: &Incident) -> Result<Outcome, Failure> {
        let id = format!("e-{}", after.revision);
        self.deliver(&id, changed(after))
    }

    /// The only issue.
    fn issue(&self) -> Issue {
        let issues = self.gitlab.borrow().issues.clone();
        assert_eq!(issues.len(), 1, "{issues:?}");
        issues.into_iter().next().unwrap()
    }

    fn edit(&self, edit: impl FnOnce(&mut Issue)) {
        edit(&mut self.gitlab.borrow_mut().issues[0]);
    }

    /// The methods and paths of the requests that changed something.
    fn writes(&self) -> Vec<String> {
        let requests = self.host.requests().into_iter();
        let writes = requests.filter(|it| it.method != "GET");
        writes
            .map(|it| format!("{} {}", it.method, it.url))
            .collect()
    }

    fn hook(&self, name: &str, body: &str) -> WebhookResponse {
        let header = Header {
            name: "x-gitlab-event".into(),
            value: name.into(),
        };
        let request = WebhookRequest {
            route: "hooks".into(),
            method: "POST".into(),
            path: "/hooks/gitlab/hooks".into(),
            query: String::new(),
            headers: vec![header],
            body: body.into(),
            verified: true,
            idempotency_key: "k".into(),
            received_at: NOON_S * 1000,
        };
        ThePlugin::on_webhook(request).unwrap()
    }

    /// Runs the jobs that are due.
    fn run_jobs(&self) {
        while let Some(job) = self.host.take_due_job() {
            let job = Job {
                topic: job.topic,
                payload: job.payload,
            };
            self.deliver("job", EventBody::Job(job)).unwrap();
        }
    }
}

pub(crate) fn opened() -> EventBody {
    EventBody::IncidentOpened(incident())
}

pub(crate) fn changed(after: &Incident) -> EventBody {
    EventBody::IncidentChanged(change(&incident(), after, &[]))
}

/// The incident of the fixtures, changed.
pub(crate) fn at(revision: u64, edit: impl FnOnce(&mut Incident)) -> Incident {
    let mut it = incident();
    it.revision = revision;
    edit(&mut it);
    it
}

/// A hook of GitLab, changed.
fn hook_of(kind: &str, edit: impl FnOnce(&mut Value)) -> String {
    let text = match kind {
        "deployment" => include_str!("../tests/hooks/deployment.json"),
        "issue" => include_str!("../tests/hooks/issue.json"),
        "note" => include_str!("../tests/hooks/note.json"),
        "pipeline" => include_str!("../tests/hooks/pipeline.json"),
        "push" => include_str!("../tests/hooks/push.json"),
        "release" => include_str!("../tests/hooks/release.json"),
        "tag" => include_str!("../tests/hooks/tag.json"),
        other => panic!("no hook {other}"),
    };
    let mut hook: Value = serde_json::from_str(text).unwrap();
    edit(&mut hook);
    hook.to_string()
}

#[test]
fn the_manifest_subscribes_to_the_events_that_are_handled() {
    let manifest = include_str!("../plugin.toml");
    testing::assert_manifest(manifest, &EVENTS, env!("CARGO_PKG_VERSION"));
}

#[test]
fn its_health_is_whether_the_token_may_read_the_issues() {
    use tocsin_plugin_sdk::types::HealthReport;
    let world = World::start();
    assert_eq!(ThePlugin::health(), HealthReport::Ok);
    world.host.set_config("project", "ops/other");
    let HealthReport::Failing(why) = ThePlugin::health() else {
        panic!("{:?}", ThePlugin::health())
    };
    assert!(why.contains("check the setting `project`"), "{why}");
    world.host.unset_secret("token");
    assert_eq!(ThePlugin::health(), HealthReport::Ok);
}

#[test]
fn a_request_whose_sender_is_unknown_is_refused() {
    let world = World::start();
    let mut request = WebhookRequest {
        route: "hooks".into(),
        method: "POST".into(),
        path: String::new(),
        query: String::new(),
        headers: Vec::new(),
        body: hook_of("deployment", |_| {}).into(),
        verified: false,
        idempotency_key: "k".into(),
        received_at: 0,
    };
    assert_eq!(ThePlugin::on_webhook(request.clone()).unwrap().status, 401);
    assert_eq!(world.host.jobs(), []);
    request.verified = true;
    assert_eq!(ThePlugin::on_webhook(request).unwrap().status, 200);
    assert_eq!(world.host.jobs().len(), 1);
    assert_eq!(json!(world.host.requests().len()), json!(0));
}
