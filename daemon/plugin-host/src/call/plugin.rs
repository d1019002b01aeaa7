//! The API through which the daemon calls a loaded plugin.

use super::generation::{Call, Generation, Guest};
use super::lanes::{LaneKind, Lanes};
use super::result::{CallResult, Failure};
use super::webhook::{CheckedWebhook, WebhookCall, admit};
use crate::event_kind::EventKind;
use crate::keys;
use crate::rights::{Denied, Schedule};
use crate::wit::{Delivery, Event, EventBody, HealthReport, Outcome, Tick, WebhookResponse};
use arc_swap::ArcSwap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// A handle to a loaded plugin; clones refer to the same plugin. Calls use the newest
/// generation; a running call stays with the one it started on.
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

impl std::fmt::Debug for LoadedPlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LoadedPlugin").field(&self.id()).finish()
    }
}

impl LoadedPlugin {
    pub fn id(&self) -> String {
        self.generation().shared.rights.plugin().to_owned()
    }

    /// Whether it subscribes to events of this kind and is granted them.
    pub fn wants(&self, kind: EventKind) -> bool {
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

    /// The schedules that are requested and granted.
    pub fn schedules(&self) -> Vec<(String, Schedule)> {
        let generation = self.generation();
        let granted = generation.shared.rights.schedules();
        granted
            .map(|(name, schedule)| (name.to_owned(), schedule.clone()))
            .collect()
    }

    /// The largest body that a route accepts, in bytes; the daemon stops reading there.
    ///
    /// # Errors
    /// When the plugin has no such route, or it is not granted.
    pub fn webhook_body_bytes_max(&self, route: &str) -> Result<usize, Denied> {
        self.generation()
            .shared
            .rights
            .webhook(route)
            .map(|ask| ask.body_bytes_max)
    }

    /// Delivers an event. The delivery's deadline is shortened to the call's own; an empty
    /// idempotency key is filled in.
    pub async fn deliver(&self, event: Event, mut delivery: Delivery) -> CallResult<Outcome> {
        let generation = self.generation();
        if let Err(denied) = generation.shared.rights.event(EventKind::of(&event.body)) {
            return CallResult::refused(403, denied.to_string());
        }
        if delivery.idempotency_key.is_empty() {
            delivery.idempotency_key =
                keys::delivery_key(generation.shared.rights.plugin(), &event.id);
        }
        let lane = match event.body {
            EventBody::Page(_) | EventBody::Prompt(_) => LaneKind::Urgent,
            _ => LaneKind::Background,
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
        generation.note_misconfiguration(result.flatten())
    }

    /// Runs a schedule that is due.
    pub async fn tick(&self, tick: Tick, mut delivery: Delivery) -> CallResult<Outcome> {
        let generation = self.generation();
        if let Err(denied) = generation.shared.rights.schedule(&tick.schedule) {
            return CallResult::refused(403, denied.to_string());
        }
        if delivery.idempotency_key.is_empty() {
            let plugin = generation.shared.rights.plugin();
            let due = tick.due.to_string();
            delivery.idempotency_key = keys::digest("tick1", &[plugin, &tick.schedule, &due]);
        }
        let call = delivery_call(
            &generation,
            "on-schedule",
            LaneKind::Background,
            &mut delivery,
        );
        let guest: Guest<_> = Box::new(move |plugin, store| {
            Box::pin(async move {
                plugin
                    .tocsin_plugin_handler()
                    .call_on_schedule(store, &tick, &delivery)
                    .await
            })
        });
        let result = self.run(Arc::clone(&generation), call, guest).await;
        generation.note_misconfiguration(result.flatten())
    }

    /// Calls the plugin with a webhook after checking its route, method, size and signature. A
    /// `Refused` failure has the HTTP status to respond with.
    pub async fn webhook(&self, request: WebhookCall) -> CallResult<WebhookResponse> {
        match self.check_webhook(request) {
            Ok(checked) => self.handle_webhook(checked).await,
            Err(failure) => CallResult::failed(failure),
        }
    }

    /// Checks a webhook, without calling the plugin.
    ///
    /// # Errors
    /// [`Failure::Refused`] with the HTTP status to respond with.
    pub fn check_webhook(&self, request: WebhookCall) -> Result<CheckedWebhook, Failure> {
        admit(self.generation(), request)
    }

    /// Calls the plugin with a checked webhook.
    pub async fn handle_webhook(&self, checked: CheckedWebhook) -> CallResult<WebhookResponse> {
        let CheckedWebhook {
            generation,
            request,
            budget,
            ..
        } = checked;
        let call = Call {
            export: "on-webhook",
            delivery: request.idempotency_key.clone(),
            wall: budget,
            lane: LaneKind::Webhook,
            without_rights: false,
        };
        let guest: Guest<_> = Box::new(move |plugin, store| {
            Box::pin(async move {
                plugin
                    .tocsin_plugin_handler()
                    .call_on_webhook(store, &request)
                    .await
            })
        });
        self.run(generation, call, guest).await.flatten()
    }

    /// Asks the plugin whether it can reach the services it uses. Call it at most once a minute.
    pub async fn health(&self) -> CallResult<HealthReport> {
        let generation = self.generation();
        let call = Call {
            export: "health",
            delivery: "health".into(),
            wall: Duration::from_millis(generation.shared.rights.limits().wall_ms),
            lane: LaneKind::Background,
            without_rights: false,
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

    pub(crate) fn generation(&self) -> Arc<Generation> {
        self.slot.current.load_full()
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
        without_rights: false,
    }
}
