//! Sends a delivery: decodes it, builds the payload, and calls the plugin or sends the mail. The
//! result goes to [`outcome`](crate::runtime::outbox::outcome).

use std::sync::Arc;

use serde_json::json;
use tocsin_core::consequences::Notice;
use tocsin_core::{IncidentId, PluginId};
use tocsin_plugin_host::{CallResult, Failure, LoadedPlugin, wit};
use tocsin_store::Claimed;

use crate::runtime::delivery::Delivery;
use crate::runtime::error::EngineError;
use crate::runtime::outbox::Outbox;
use crate::runtime::outbox::backoff::RetryPolicy;
use crate::runtime::outbox::outcome::{End, Ended};
use crate::runtime::state::tables::decode_row;

/// The deadline of a call, in milliseconds: far in the future, as the plugin host applies its own
/// limit in real time, even when the daemon's clock is simulated.
const DEADLINE_MS: u64 = 3_600_000;

impl Outbox {
    /// Sends a delivery and settles it. Never fails: a delivery that cannot be settled is retried
    /// when its claim's lease ends.
    pub(crate) async fn deliver(self: &Arc<Self>, claim: Claimed) {
        if claim.interrupted {
            let (lane, attempt) = (&claim.row.key.lane, claim.row.attempts);
            tracing::warn!(
                lane,
                attempt,
                "an earlier try of a delivery was cut off; its outcome is unknown, and it is \
                 sent again"
            );
            self.metrics.interrupted();
        }
        let ended = match decode_row::<Delivery>("a delivery", &claim.row.body) {
            Ok(delivery) => self.send(delivery, &claim).await,
            Err(error) => Ended::given_up(error.to_string()),
        };
        if let Err(error) = self.settle(claim, ended).await {
            tracing::error!(%error, "a delivery could not be settled; it is retried later");
        }
    }

    async fn send(self: &Arc<Self>, delivery: Delivery, claim: &Claimed) -> Ended {
        if let Some(attempt) = delivery.single_page() {
            return self.queue_again(attempt).await;
        }
        match delivery {
            Delivery::Message { plugin, message } => {
                self.send_message(plugin, message, claim).await
            }
            Delivery::Test { plugin, test } => self.send_test(plugin, test, claim).await,
            Delivery::TestSettled { plugin, test } => self.settle_test(plugin, &test, claim).await,
            Delivery::Mail { .. } => Ended::dropped("its page is not known"),
            Delivery::Notice {
                plugin,
                incident,
                notice,
            } => self.send_event(plugin, &incident, &notice, claim).await,
            Delivery::Job {
                plugin,
                id,
                topic,
                payload,
            } => {
                let body = wit::EventBody::Job(wit::Job { topic, payload });
                let event = wit::Event {
                    id: id.clone(),
                    seq: 0,
                    origin: Some(plugin.to_string()),
                    incident_id: None,
                    at: self.now_ms(),
                    body,
                };
                let Some(loaded) = self.loaded(&plugin) else {
                    return not_loaded(&plugin);
                };
                let delivery = self.delivery(&plugin, &id, claim);
                from_call(&plugin, loaded.deliver(event, delivery).await)
            }
            Delivery::Tick {
                plugin,
                schedule,
                due,
                missed,
            } => {
                let Some(loaded) = self.loaded(&plugin) else {
                    return not_loaded(&plugin);
                };
                let id = format!("{schedule}/{}", due.0);
                let due = u64::try_from(due.0).unwrap_or(0);
                let delivery = self.delivery(&plugin, &id, claim);
                let tick = wit::Tick {
                    schedule,
                    due,
                    missed,
                };
                from_call(&plugin, loaded.tick(tick, delivery).await)
            }
        }
    }

    async fn send_event(
        self: &Arc<Self>,
        plugin: PluginId,
        incident: &IncidentId,
        notice: &Notice,
        claim: &Claimed,
    ) -> Ended {
        let Some(loaded) = self.loaded(&plugin) else {
            return not_loaded(&plugin);
        };
        let now = self.clock.now();
        let clearance = loaded.clearance().into();
        let event = self
            .payloads
            .event(&self.view, incident, notice, &plugin, clearance, now);
        let event = match event {
            Ok(Some(event)) => event,
            Ok(None) => return Ended::dropped("it is no longer wanted"),
            Err(EngineError::Store(error)) => return Ended::again(error.to_string()),
            Err(error) => return Ended::given_up(error.to_string()),
        };
        let delivery = self.delivery(&plugin, &event.id, claim);
        let ended = from_call(&plugin, loaded.deliver(event, delivery).await);
        self.metrics.delivered(plugin.as_str(), ended.end.word());
        ended
    }

    pub(super) fn loaded(&self, plugin: &PluginId) -> Option<LoadedPlugin> {
        self.plugins.get(plugin.as_str())
    }

    pub(super) fn delivery(&self, plugin: &PluginId, id: &str, claim: &Claimed) -> wit::Delivery {
        wit::Delivery {
            id: id.to_owned(),
            attempt: claim.row.attempts,
            max_attempts: RetryPolicy::CHORE.attempts_max(),
            idempotency_key: tocsin_plugin_host::delivery_key(plugin.as_str(), id),
            deadline: self.now_ms() + DEADLINE_MS,
            traceparent: None,
            extra: json!({ "interrupted": claim.interrupted }).to_string(),
        }
    }

    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.clock.now().0).unwrap_or(0)
    }
}

/// A plugin that is not loaded may be after the operator has fixed it.
pub(super) fn not_loaded(plugin: &PluginId) -> Ended {
    Ended::again(format!(
        "plugin {plugin} is not loaded; `tocsin plugin list` says why"
    ))
}

pub(super) fn from_call(plugin: &PluginId, result: CallResult<wit::Outcome>) -> Ended {
    let CallResult {
        outcome,
        jobs,
        denials,
        stats,
        ..
    } = result;
    let outcome_unknown = stats.effects_unknown > 0;
    for denied in &denials {
        tracing::warn!(%plugin, %denied, "a plugin was denied a right");
    }
    match outcome {
        Ok(wit::Outcome::Done) => Ended {
            jobs,
            plugin: Some(plugin.clone()),
            ..Ended::of(End::Done)
        },
        Ok(wit::Outcome::Ignored) => Ended {
            jobs,
            plugin: Some(plugin.clone()),
            ..Ended::of(End::Ignored(format!("plugin {plugin} ignored it")))
        },
        Err(failure) => Ended {
            outcome_unknown,
            ..Ended::of(end_of_failure(plugin, &failure))
        },
    }
}

fn end_of_failure(plugin: &PluginId, failure: &Failure) -> End {
    let why = failure.to_string();
    if let Failure::Misconfigured { reason } | Failure::Refused { reason, .. } = failure {
        tracing::error!(
            %plugin,
            reason,
            "a plugin is misconfigured; fix [plugins.{plugin}] and restart the daemon; its \
             deliveries are retried for a day"
        );
        return End::Misconfigured(why);
    }
    tracing::warn!(%plugin, %failure, "a delivery failed");
    let hint_ms = match failure {
        Failure::Retry { after_ms, .. } => *after_ms,
        _ => None,
    };
    match failure.retryable() {
        true => End::Again { why, hint_ms },
        false => End::GivenUp(why),
    }
}
