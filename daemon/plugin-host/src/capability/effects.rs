//! The memory behind `once`, which `http` and `mail` share: an outside effect happens once, or its
//! unknown outcome is reported.

use super::context::Context;
use super::service::{Reply, ServiceError, not_provided};

/// A remembered answer (status, headers and body), in bytes. Longer bodies are left out.
pub const EFFECT_BYTES_MAX: usize = 256 << 10;
/// Length of a `once` key, in bytes.
pub(super) const ONCE_BYTES_MAX: usize = 256;

/// What the daemon provides.
pub trait EffectService: Send + Sync + 'static {
    /// Looks an effect up and, when it is fresh, makes a `started` mark durable before answering:
    /// the request leaves only after this. Two callers must not both get `Fresh`.
    fn effect_begin<'a>(&'a self, _effect: &'a EffectKey) -> Reply<'a, EffectState> {
        not_provided()
    }

    /// Remembers the answer of an effect (at most about [`EFFECT_BYTES_MAX`]).
    fn effect_finish<'a>(&'a self, _effect: &'a EffectKey, _answer: Vec<u8>) -> Reply<'a, ()> {
        not_provided()
    }

    /// Drops what is remembered: the next try is fresh.
    fn effect_forget<'a>(&'a self, _effect: &'a EffectKey) -> Reply<'a, ()> {
        not_provided()
    }
}

/// Names one outside effect over all tries of its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EffectKey {
    pub plugin: String,
    /// The delivery's idempotency key.
    pub delivery: String,
    /// What the plugin calls the effect: `http:…` or `mail:…`.
    pub once: String,
}

impl EffectKey {
    /// A short name for storage and for Message-IDs: 26 characters of base 32.
    pub fn digest(&self) -> String {
        crate::keys::digest("effect1", &[&self.plugin, &self.delivery, &self.once])
    }
}

/// What is known of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EffectState {
    /// Nothing; it is marked as started now.
    Fresh,
    /// It was started before, and its outcome is unknown.
    Started,
    /// It ended well; this was the answer.
    Finished(Vec<u8>),
}

impl Context {
    pub(super) fn effect(&self, once: String) -> EffectKey {
        EffectKey {
            plugin: self.plugin().to_owned(),
            delivery: self.facts.delivery.clone(),
            once,
        }
    }

    /// Marks an effect as begun. Until [`finish_effect`](Self::finish_effect) or
    /// [`forget_effect`](Self::forget_effect) it counts as one of unknown outcome.
    pub(super) async fn begin_effect(
        &mut self,
        effect: &EffectKey,
    ) -> Result<EffectState, ServiceError> {
        let state = self.shared.services.effect_begin(effect).await?;
        if !matches!(state, EffectState::Finished(_)) {
            self.effects_unknown.insert(effect.once.clone());
        }
        Ok(state)
    }

    /// It took place, and this was the answer.
    pub(super) async fn finish_effect(
        &mut self,
        effect: &EffectKey,
        answer: Vec<u8>,
    ) -> Result<(), ServiceError> {
        self.effects_unknown.remove(&effect.once);
        self.shared.services.effect_finish(effect, answer).await
    }

    /// It did not take place.
    pub(super) async fn forget_effect(&mut self, effect: &EffectKey) -> Result<(), ServiceError> {
        self.effects_unknown.remove(&effect.once);
        self.shared.services.effect_forget(effect).await
    }
}
