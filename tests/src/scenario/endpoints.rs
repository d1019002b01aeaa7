//! Requests to the daemon's HTTP endpoints, through its router, in the senders' formats, with real
//! tokens and signatures.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use serde_json::{Value, json};
use tocsin::app::App;
use tocsin::auth::{NewToken, Scope};
use tocsin::http::router;
use tocsin::standin::slack::SignedRequest;
use tocsin::time::format_time;
use tocsin_core::Timestamp;
use tower::ServiceExt as _;

/// Largest response that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// What of an alert's facts Alertmanager sends as annotations; `link` is the alert's own.
const ANNOTATIONS: [&str; 3] = ["summary", "description", "runbook_url"];

pub(super) type Labels = BTreeMap<String, String>;

/// An alert as its sender posts it.
#[derive(Clone, Debug)]
pub(super) struct SentAlert {
    pub(super) labels: Labels,
    pub(super) since: Timestamp,
    pub(super) until: Option<Timestamp>,
}

/// Tokens by owner: an integration or a person.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens(BTreeMap<String, String>);

impl Tokens {
    /// Creates a token for each integration and each person.
    pub(super) async fn make(app: &Arc<App>) -> Result<Self> {
        let mut tokens = BTreeMap::new();
        let mut wanted = Vec::new();
        for integration in app.config.integrations.keys() {
            wanted.push(NewToken {
                integration: Some(integration.clone()),
                ..NewToken::new(integration.as_str(), Scope::Ingest)
            });
        }
        for person in app.config.people.keys() {
            wanted.push(NewToken {
                person: Some(person.clone()),
                ..NewToken::new(person.as_str(), Scope::Respond)
            });
        }
        for one in wanted {
            let name = one.name.clone();
            tokens.insert(name, app.issue(one).await?.0.reveal().to_owned());
        }
        Ok(Self(tokens))
    }
}

pub(super) struct Endpoints<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) tokens: &'a Tokens,
}

impl Endpoints<'_> {
    fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Posts to Alertmanager's webhook: alerts without a lease.
    pub(super) async fn webhook(&self, alerts: &[SentAlert], status: &str) -> Result<()> {
        let one = |it: &SentAlert| {
            let until = it
                .until
                .map_or("0001-01-01T00:00:00Z".to_owned(), format_time);
            let is_annotation = |name: &str| ANNOTATIONS.contains(&name);
            let (annotations, mut labels): (Labels, Labels) = it
                .labels
                .clone()
                .into_iter()
                .partition(|(name, _)| is_annotation(name));
            let link = labels.remove("link").unwrap_or_default();
            json!({
                "status": status, "labels": labels, "annotations": annotations,
                "startsAt": format_time(it.since), "endsAt": until, "generatorURL": link,
            })
        };
        let body = json!({
            "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": status,
            "receiver": "tocsin", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
            "externalURL": "", "alerts": alerts.iter().map(one).collect::<Vec<Value>>(),
        });
        self.send(Method::POST, "/ingest/alertmanager", "alertmanager", &body)
            .await?;
        Ok(())
    }

    /// Posts to Alertmanager's API as Prometheus does: alerts with a lease.
    pub(super) async fn api_v2(&self, alert: &SentAlert) -> Result<()> {
        let until = alert.until.map(format_time);
        let body = json!([{
            "labels": alert.labels, "startsAt": format_time(alert.since), "endsAt": until,
        }]);
        self.send(Method::POST, "/api/v2/alerts", "prometheus", &body)
            .await?;
        Ok(())
    }

    /// Triggers an alert as PagerDuty's clients do.
    pub(super) async fn trigger(&self, name: &str, labels: &Labels) -> Result<()> {
        let mut details = labels.clone();
        let severity = details.remove("severity");
        let payload = json!({
            "summary": name, "source": "shop", "custom_details": details,
            "severity": severity.unwrap_or_else(|| "critical".to_owned()),
        });
        self.pagerduty("trigger", name, payload).await
    }

    /// Resolves an alert as PagerDuty's clients do.
    pub(super) async fn resolve(&self, name: &str) -> Result<()> {
        self.pagerduty("resolve", name, Value::Null).await
    }

    async fn pagerduty(&self, action: &str, name: &str, payload: Value) -> Result<()> {
        let key = self.tokens.0.get("pagerduty");
        let body = json!({
            "routing_key": key, "event_action": action, "dedup_key": name, "payload": payload,
        });
        let request = Request::post("/v2/enqueue")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))?;
        self.answer(request).await?;
        Ok(())
    }

    /// Sends a person's command through the API.
    pub(super) async fn command(&self, person: &str, number: u64, action: &Value) -> Result<()> {
        let path = format!("/api/v1/incidents/{number}/actions");
        self.send(Method::POST, &path, person, action).await?;
        Ok(())
    }

    /// Changes who is on call, in a person's name.
    pub(super) async fn on_call(&self, person: &str, action: &Value) -> Result<()> {
        let path = "/api/v1/oncall/actions";
        self.send(Method::POST, path, person, action).await?;
        Ok(())
    }

    /// Tests the way to somebody, in a person's name.
    pub(super) async fn test_page(
        &self,
        person: &str,
        whom: &str,
        channel: Option<&str>,
    ) -> Result<()> {
        let order = json!({ "person": whom, "channel": channel });
        self.send(Method::POST, "/api/v1/page-tests", person, &order)
            .await?;
        Ok(())
    }

    /// Begins or ends an alert of a drill, in a person's name.
    pub(super) async fn drill(
        &self,
        person: &str,
        (run, alert): (&str, &str),
        labels: &Labels,
        firing: bool,
    ) -> Result<()> {
        let body = json!({ "run": run, "alert": alert, "labels": labels, "firing": firing });
        self.send(Method::POST, "/api/v1/drills/alerts", person, &body)
            .await?;
        Ok(())
    }

    /// Ends an alert, named by integration and fingerprint, in a person's name.
    pub(super) async fn end_by_hand(&self, person: &str, alert: &str) -> Result<()> {
        let path = format!("/api/v1/alerts/{alert}/resolve");
        let body = json!({ "reason": "the disk is gone" });
        self.send(Method::POST, &path, person, &body).await?;
        Ok(())
    }

    /// Sends a change event as PagerDuty's clients do.
    pub(super) async fn change(&self, title: &str, labels: &Labels) -> Result<()> {
        let body = json!({
            "routing_key": self.tokens.0.get("pagerduty"),
            "payload": {
                "summary": title, "timestamp": format_time(self.now()), "custom_details": labels,
            },
            "links": labels.get("link").map(|it| json!([{ "href": it }])),
        });
        let request = Request::post("/v2/change/enqueue")
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))?;
        self.answer(request).await?;
        Ok(())
    }

    /// What the API answers to a person.
    pub(super) async fn get(&self, path: &str, person: &str) -> Result<String> {
        self.send(Method::GET, path, person, &Value::Null).await
    }

    /// Sends a request from Slack, and returns the response's body.
    pub(super) async fn slack(&self, route: &str, request: &SignedRequest) -> Result<String> {
        let built = Request::post(format!("/hooks/slack/{route}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-slack-request-timestamp", &request.timestamp)
            .header("x-slack-signature", &request.signature)
            .body(Body::from(request.body.clone()))?;
        self.answer(built).await
    }

    /// Opens a mail's link, which must have no effect, and presses the button on that page; returns
    /// the page that follows.
    pub(super) async fn mail_link(&self, token: &str, button: &str) -> Result<String> {
        let path = format!("/ack/{token}");
        let page = self
            .answer(Request::get(&path).body(Body::empty())?)
            .await?;
        if !page.contains(&format!("<button>{button}")) {
            bail!("the link shows no button: {page}");
        }
        self.answer(Request::post(&path).body(Body::empty())?).await
    }

    /// Creates a silence in a person's name and returns its id.
    pub(super) async fn silence(
        &self,
        person: &str,
        labels: &Labels,
        until: Timestamp,
    ) -> Result<String> {
        let matcher = |(name, value): (&String, &String)| {
            let mut matcher = json!({ "name": name, "value": value });
            matcher["isRegex"] = json!(false);
            matcher
        };
        let body = json!({
            "matchers": labels.iter().map(matcher).collect::<Vec<Value>>(),
            "startsAt": format_time(self.now()), "endsAt": format_time(until),
            "createdBy": person, "comment": "maintenance",
        });
        let answer = self.send(Method::POST, "/api/v2/silences", person, &body);
        let answer: Value = serde_json::from_str(&answer.await?)?;
        let id = answer["silenceID"].as_str();
        Ok(id.context("the response has no silence id")?.to_owned())
    }

    pub(super) async fn end_silence(&self, person: &str, id: &str) -> Result<()> {
        let path = format!("/api/v2/silence/{id}");
        self.send(Method::DELETE, &path, person, &Value::Null)
            .await?;
        Ok(())
    }

    async fn send(&self, method: Method, path: &str, whose: &str, body: &Value) -> Result<String> {
        let token = self.tokens.0.get(whose);
        let token = token.with_context(|| format!("{whose} has no token"))?;
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body)?;
        self.answer(request).await
    }

    async fn answer(&self, request: Request<Body>) -> Result<String> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = router(Arc::clone(self.app)).oneshot(request).await?;
        let status = answer.status();
        let body = to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await?;
        let body = String::from_utf8_lossy(&body).into_owned();
        match status.is_success() {
            true => Ok(body),
            false => Err(anyhow!("{method} {path} returned {status}: {body}")),
        }
    }
}
