//! The effect records behind `once`, shared by `http` and `mail`: an external effect happens once,
//! or its unknown outcome is reported.

use super::context::Context;
use super::service::{Reply, ServiceError, not_provided};

/// Largest stored response (status, headers and body), in bytes. Longer bodies are dropped.
pub const EFFECT_BYTES_MAX: usize = 256 << 10;
/// Longest `once` key, in bytes.
pub(super) const ONCE_BYTES_MAX: usize = 256;

/// What the daemon provides.
pub trait EffectService: Send + Sync + 'static {
    /// Looks an effect up and, if it is new, durably marks it as started before returning: the
    /// request is sent only after this. Two callers must not both get `New`.
    fn effect_begin<'a>(&'a self, _effect: &'a EffectKey) -> Reply<'a, EffectState> {
        not_provided()
    }

    /// Stores the response of an effect (at most about [`EFFECT_BYTES_MAX`]).
    fn effect_finish<'a>(&'a self, _effect: &'a EffectKey, _answer: Vec<u8>) -> Reply<'a, ()> {
        not_provided()
    }

    /// Deletes the record: the next attempt is a new effect.
    fn effect_forget<'a>(&'a self, _effect: &'a EffectKey) -> Reply<'a, ()> {
        not_provided()
    }
}

/// Identifies one external effect across all attempts of its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EffectKey {
    pub plugin: String,
    /// The delivery's idempotency key.
    pub delivery: String,
    /// The plugin's `once` key with a prefix: `http:…` or `mail:…`.
    pub once: String,
}

impl EffectKey {
    /// A short name for storage and for Message-IDs: 26 characters of base 32.
    pub fn digest(&self) -> String {
        crate::keys::digest("effect1", &[&self.plugin, &self.delivery, &self.once])
    }
}

/// The recorded state of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EffectState {
    /// Not recorded before; it is now marked as started.
    New,
    /// Started earlier; its outcome is unknown.
    Started,
    /// It succeeded with this response.
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

    /// Marks an effect as started. Until [`finish_effect`](Self::finish_effect) or
    /// [`forget_effect`](Self::forget_effect) its outcome counts as unknown.
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

    /// Records that it succeeded with this response.
    pub(super) async fn finish_effect(
        &mut self,
        effect: &EffectKey,
        answer: Vec<u8>,
    ) -> Result<(), ServiceError> {
        self.effects_unknown.remove(&effect.once);
        self.shared.services.effect_finish(effect, answer).await
    }

    /// Records that it did not take place.
    pub(super) async fn forget_effect(&mut self, effect: &EffectKey) -> Result<(), ServiceError> {
        self.effects_unknown.remove(&effect.once);
        self.shared.services.effect_forget(effect).await
    }
}
