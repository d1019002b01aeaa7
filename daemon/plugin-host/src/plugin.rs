//! A loaded plugin, as the daemon calls it.

use crate::call::{CallResult, Failure};
use crate::catalog::CatalogEntry;
use crate::generation::{Call, Generation, Guest, LaneKind, Lanes};
use crate::grant::{Denied, Rights};
use crate::keys;
use crate::manifest::{Scheme, WebhookAsk};
use crate::schedule::Schedule;
use crate::secrets::SecretSet;
use crate::verify;
use crate::wit::{
    Delivery, Event, EventBody, Header, HealthReport, Outcome, Tick, WebhookRequest,
    WebhookResponse, types,
};
use arc_swap::ArcSwap;
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// A handle to a loaded plugin; clones are the same plugin. Calls always use the newest
/// generation; a call that is under way stays with the one it began on.
#[derive(Clone)]
pub struct LoadedPlugin {
    pub(crate) slot: Arc<Slot>,
    pub(crate) runtime: Handle,
}

/// A plugin's place in the host.
pub(crate) struct Slot {
    pub(crate) current: ArcSwap<Generation>,
    pub(crate) lanes: Lanes,
}

/// A request to one of a plugin's routes, as it came in.
#[derive(Debug, Clone, Default)]
pub struct WebhookCall {
    /// The last part of `/hooks/PLUGIN/ROUTE`.
    pub route: String,
    /// In capitals.
    pub method: String,
    /// The whole path.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// Names in any case; values as they came.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The raw body: signatures are over these bytes.
    pub body: Vec<u8>,
}

/// A webhook whose route, method, size and signature were checked.
pub struct CheckedWebhook {
    generation: Arc<Generation>,
    request: WebhookRequest,
    budget: Duration,
}

impl CheckedWebhook {
    /// The same for a request that its sender repeats, or that somebody replays; none when nobody
    /// vouched for the sender, since equal requests of strangers need not be one.
    #[must_use]
    pub fn repeat_key(&self) -> Option<&str> {
        let request = &self.request;
        request.verified.then_some(request.idempotency_key.as_str())
    }
}

impl std::fmt::Debug for LoadedPlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LoadedPlugin").field(&self.id()).finish()
    }
}

impl LoadedPlugin {
    /// The plugin's id.
    pub fn id(&self) -> String {
        self.generation().shared.rights.plugin().to_owned()
    }

    /// Does it want events of this kind, and may it have them? `kind` as in
    /// [`crate::manifest::EVENT_KINDS`].
    pub fn wants(&self, kind: &str) -> bool {
        self.generation().shared.rights.event(kind).is_ok()
    }

    /// The contact kinds that it can page.
    pub fn contacts(&self) -> Vec<String> {
        self.generation().shared.rights.manifest().contacts.clone()
    }

    /// Whether incidents under the security flag may reach it unredacted.
    pub fn clearance(&self) -> bool {
        self.generation().clearance
    }

    /// The schedules that are asked for and granted.
    pub fn schedules(&self) -> Vec<(String, Schedule)> {
        let generation = self.generation();
        let granted = generation.shared.rights.schedules();
        granted
            .map(|(name, schedule)| (name.to_owned(), schedule.clone()))
            .collect()
    }

    /// The largest body that a route takes, in bytes, for the daemon to stop reading there.
    ///
    /// # Errors
    /// When the plugin has no such route, or no right to it.
    pub fn webhook_body_bytes_max(&self, route: &str) -> Result<usize, Denied> {
        self.generation()
            .shared
            .rights
            .webhook(route)
            .map(|ask| ask.body_bytes_max)
    }

    /// Everything that `tocsin plugin inspect` shows.
    pub fn inspect(&self) -> CatalogEntry {
        CatalogEntry::of(&self.generation())
    }

    /// Delivers an event. The delivery's deadline is brought forward to the call's own; an empty
    /// idempotency key is filled in.
    pub async fn deliver(&self, event: Event, mut delivery: Delivery) -> CallResult<Outcome> {
        let generation = self.generation();
        if let Err(denied) = generation.shared.rights.event(event_kind(&event.body)) {
            return refused(403, denied.to_string());
        }
        if delivery.idempotency_key.is_empty() {
            delivery.idempotency_key =
                keys::delivery_key(generation.shared.rights.plugin(), &event.id);
        }
        let lane = match event.body {
            EventBody::Page(_) | EventBody::Prompt(_) => LaneKind::Urgent,
            _ => LaneKind::Chore,
        };
        let call = delivery_call(&generation, "on-event", lane, &mut delivery);
        let guest: Guest<_> = Box::new(move |plugin, store| {
            Box::pin(async move {
                plugin
                    .tocsin_plugin_handler()
                    .call_on_event(store, &event, &delivery)
                    .await
            })
        });
        let result = self.run(Arc::clone(&generation), call, guest).await;
        generation.note_set_up(flatten(result))
    }

    /// Calls a schedule's tick.
    pub async fn tick(&self, tick: Tick, mut delivery: Delivery) -> CallResult<Outcome> {
        let generation = self.generation();
        if let Err(denied) = generation.shared.rights.schedule(&tick.schedule) {
            return refused(403, denied.to_string());
        }
        if delivery.idempotency_key.is_empty() {
            let plugin = generation.shared.rights.plugin();
            let due = tick.due.to_string();
            delivery.idempotency_key = keys::digest("tick1", &[plugin, &tick.schedule, &due]);
        }
        let call = delivery_call(&generation, "on-schedule", LaneKind::Chore, &mut delivery);
        let guest: Guest<_> = Box::new(move |plugin, store| {
            Box::pin(async move {
                plugin
                    .tocsin_plugin_handler()
                    .call_on_schedule(store, &tick, &delivery)
                    .await
            })
        });
        let result = self.run(Arc::clone(&generation), call, guest).await;
        generation.note_set_up(flatten(result))
    }

    /// Passes a webhook on, after its route, method, size and signature were checked. A failure
    /// of the kind `Refused` carries the status to answer with.
    pub async fn webhook(&self, request: WebhookCall) -> CallResult<WebhookResponse> {
        match self.check_webhook(request) {
            Ok(checked) => self.handle_webhook(checked).await,
            Err(failure) => CallResult::failed(failure),
        }
    }

    /// Checks a webhook, without calling the plugin.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the status to answer with.
    pub fn check_webhook(&self, request: WebhookCall) -> Result<CheckedWebhook, Failure> {
        let generation = self.generation();
        let (request, budget) = admit(&generation, request)?;
        Ok(CheckedWebhook {
            generation,
            request,
            budget,
        })
    }

    /// Passes a checked webhook on.
    pub async fn handle_webhook(&self, checked: CheckedWebhook) -> CallResult<WebhookResponse> {
        let CheckedWebhook {
            generation,
            request,
            budget,
        } = checked;
        let call = Call {
            export: "on-webhook",
            delivery: request.idempotency_key.clone(),
            wall: budget,
            lane: LaneKind::Webhook,
            powerless: false,
        };
        let guest: Guest<_> = Box::new(move |plugin, store| {
            Box::pin(async move {
                plugin
                    .tocsin_plugin_handler()
                    .call_on_webhook(store, &request)
                    .await
            })
        });
        flatten(self.run(generation, call, guest).await)
    }

    /// Asks how the far side does; at most once a minute, please.
    pub async fn health(&self) -> CallResult<HealthReport> {
        let generation = self.generation();
        let call = Call {
            export: "health",
            delivery: "health".into(),
            wall: Duration::from_millis(generation.shared.rights.limits().wall_ms),
            lane: LaneKind::Chore,
            powerless: false,
        };
        let guest: Guest<_> = Box::new(|plugin, store| {
            Box::pin(async move { plugin.tocsin_plugin_handler().call_health(store).await })
        });
        self.run(generation, call, guest).await
    }

    async fn run<T: Send + 'static>(
        &self,
        generation: Arc<Generation>,
        call: Call,
        guest: Guest<T>,
    ) -> CallResult<T> {
        generation
            .run(&self.runtime, &self.slot.lanes, call, guest)
            .await
    }

    fn generation(&self) -> Arc<Generation> {
        self.slot.current.load_full()
    }
}

/// The name of an event's kind, as manifests write it.
pub fn event_kind(body: &EventBody) -> &'static str {
    match body {
        EventBody::IncidentOpened(_) => "incident-opened",
        EventBody::IncidentChanged(_) => "incident-changed",
        EventBody::UpdatePosted(_) => "update-posted",
        EventBody::LogAdded(_) => "log-added",
        EventBody::Page(_) => "page",
        EventBody::Prompt(_) => "prompt",
        EventBody::DocumentReady(_) => "document-ready",
        EventBody::Settled(_) => "settled",
        EventBody::Job(_) => "job",
        EventBody::Other(_) => "other",
    }
}

fn delivery_call(
    generation: &Generation,
    export: &'static str,
    lane: LaneKind,
    delivery: &mut Delivery,
) -> Call {
    let now_ms = generation.shared.services.now_ms();
    let mut wall_ms = generation.shared.rights.limits().wall_ms;
    if delivery.deadline > now_ms {
        wall_ms = wall_ms.min(delivery.deadline - now_ms);
    }
    delivery.deadline = now_ms.saturating_add(wall_ms);
    Call {
        export,
        delivery: delivery.idempotency_key.clone(),
        wall: Duration::from_millis(wall_ms),
        lane,
        powerless: false,
    }
}

/// Headers that the guest has no business with.
const HIDDEN_HEADERS: [&str; 3] = ["authorization", "cookie", "proxy-authorization"];

/// Checks everything about a webhook that needs no guest.
fn admit(
    generation: &Generation,
    request: WebhookCall,
) -> Result<(WebhookRequest, Duration), Failure> {
    let rights = &generation.shared.rights;
    let no = |status, reason: String| Failure::Refused { status, reason };
    let ask = rights
        .webhook(&request.route)
        .map_err(|denied| no(404, denied.to_string()))?;
    if !ask.methods.contains(&request.method) {
        let allowed = ask.methods.join(", ");
        return Err(no(405, format!("`{}` takes {allowed} only", request.path)));
    }
    if request.body.len() > ask.body_bytes_max {
        let max = ask.body_bytes_max;
        return Err(no(413, format!("the body is longer than {max} bytes")));
    }
    let verified = verify_sender(generation, ask, &request)?;
    let signatures = verify::signature_headers(&ask.verify.scheme);
    let hidden = |name: &str| HIDDEN_HEADERS.contains(&name) || signatures.contains(&name);
    let headers = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .filter(|(name, _)| !hidden(name))
        .map(|(name, value)| Header {
            name,
            value: String::from_utf8_lossy(value).into_owned(),
        })
        .collect();
    let budget_ms = ask.budget_ms.min(rights.limits().wall_ms);
    let admitted = WebhookRequest {
        idempotency_key: webhook_key(rights, ask, &request),
        route: request.route,
        method: request.method,
        path: request.path,
        query: request.query,
        headers,
        body: request.body,
        verified,
        received_at: generation.shared.services.now_ms(),
    };
    Ok((admitted, Duration::from_millis(budget_ms)))
}

fn verify_sender(
    generation: &Generation,
    ask: &WebhookAsk,
    request: &WebhookCall,
) -> Result<bool, Failure> {
    let secrets = SecretSet::read(&generation.shared.secrets);
    let secret = match ask.verify.secret.as_str() {
        "" => "",
        name => {
            let found = secrets.get(name);
            // A stranger reads the refusal: where the secret is kept is for the log only.
            found.map_err(|error| {
                let (plugin, route) = (generation.shared.rights.plugin(), &request.route);
                tracing::error!(plugin, route, %error, "a webhook's secret cannot be read");
                Failure::Refused {
                    status: 503,
                    reason: "the sender cannot be checked now".to_owned(),
                }
            })?
        }
        .expose_secret(),
    };
    let now_ms = generation.shared.services.now_ms();
    verify::verify(&ask.verify, secret, &request.headers, &request.body, now_ms).map_err(|error| {
        Failure::Refused {
            status: 401,
            reason: error.to_string(),
        }
    })
}

/// The same for a request that its sender repeats: its body, and the sender's own id where the
/// scheme vouches for one. An unsigned id must not count: whoever replays a request could change it
/// and have its commands take effect again.
fn webhook_key(rights: &Rights, ask: &WebhookAsk, request: &WebhookCall) -> String {
    let id_header = match ask.verify.scheme {
        Scheme::StandardWebhooks => Some("webhook-id"),
        // Who knows the token can send anything anyway; this id tells equal events apart.
        Scheme::GitlabToken => Some("x-gitlab-event-uuid"),
        Scheme::SlackV0 | Scheme::HmacSha256 { .. } | Scheme::None => None,
    };
    let named = |name: &String| id_header.is_some_and(|id| name.eq_ignore_ascii_case(id));
    let id = request
        .headers
        .iter()
        .find(|(name, _)| named(name))
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .unwrap_or_default();
    let body = blake3::hash(&request.body).to_hex();
    keys::digest(
        "hook1",
        &[rights.plugin(), &request.route, &request.query, &id, &body],
    )
}

fn refused<T>(status: u16, reason: String) -> CallResult<T> {
    CallResult::failed(Failure::Refused { status, reason })
}

/// A guest's own failure is an outcome like any other; its jobs are not committed.
fn flatten<T>(result: CallResult<Result<T, types::Failure>>) -> CallResult<T> {
    let CallResult {
        outcome,
        mut jobs,
        log,
        stats,
        denials,
        http,
    } = result;
    let outcome = outcome.and_then(|answer| answer.map_err(Failure::from));
    if outcome.is_err() {
        jobs.clear();
    }
    CallResult {
        outcome,
        jobs,
        log,
        stats,
        denials,
        http,
    }
}

impl From<types::Failure> for Failure {
    fn from(failure: types::Failure) -> Self {
        use crate::state::{clean, cut};
        let short = |text: String| {
            let mut text = clean(&text);
            cut(&mut text, 4 << 10);
            text
        };
        match failure {
            types::Failure::Retry(hint) => Self::Retry {
                after_ms: hint.after_ms,
                reason: short(hint.reason),
            },
            types::Failure::Permanent(reason) => Self::Permanent {
                reason: short(reason),
            },
            types::Failure::Misconfigured(reason) => Self::Misconfigured {
                reason: short(reason),
            },
        }
    }
}
