//! What the host needs from the daemon.
//!
//! The host knows no store and no incident engine; the daemon implements [`Services`] over its own.
//! Every function is asynchronous and its future boxed, so that the trait stays object-safe.

use crate::rights::manifest::Verb;
use crate::wit::{
    Actor, CommandError, Draft, Email, Incident, KvEntry, KvError, KvPage, LogKind, MailError,
    Person, Receipt,
};
use futures_util::future::BoxFuture;

/// A remembered answer (status, headers and body), in bytes. Longer bodies are left out.
pub const EFFECT_BYTES_MAX: usize = 256 << 10;
/// Length of a `once` key, in bytes.
pub(crate) const ONCE_BYTES_MAX: usize = 256;

/// A service that is not there now, with the reason. The guest sees a typed `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ServiceError(pub String);

/// The daemon's side of the imports in plugin.wit. Called on the host's own few threads, so it must
/// not block them: what waits for a disk belongs on a thread of its own.
pub trait Services: Send + Sync + 'static {
    /// The time, in milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Reads a key of a plugin.
    fn kv_get<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<Option<KvEntry>, KvError>>;

    /// Writes a key and gives its new revision. Lengths were checked; the quota is checked by the
    /// implementation inside its transaction, with [`super::kv::KvUsage::after_write`].
    fn kv_set<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'a, Result<u64, KvError>>;

    /// As [`Self::kv_set`], only if the revision is still `expected` (none: the key is absent);
    /// else `conflict`.
    fn kv_swap<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> BoxFuture<'a, Result<u64, KvError>>;

    /// Deletes a key; true if it was there.
    fn kv_delete<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
    ) -> BoxFuture<'a, Result<bool, KvError>>;

    /// Lists keys in byte order, after `cursor`, at most `limit` (already bounded).
    fn kv_keys<'a>(
        &'a self,
        plugin: &'a str,
        prefix: &'a str,
        cursor: Option<&'a str>,
        limit: u32,
    ) -> BoxFuture<'a, Result<KvPage, KvError>>;

    /// Looks an effect up and, when it is fresh, makes a `started` mark durable before answering:
    /// the request leaves only after this. Two callers must not both get `Fresh`.
    fn effect_begin<'a>(
        &'a self,
        effect: &'a EffectKey,
    ) -> BoxFuture<'a, Result<EffectState, ServiceError>>;

    /// Remembers the answer of an effect (at most about [`EFFECT_BYTES_MAX`]).
    fn effect_finish<'a>(
        &'a self,
        effect: &'a EffectKey,
        answer: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), ServiceError>>;

    /// Drops what is remembered: the next try is fresh.
    fn effect_forget<'a>(
        &'a self,
        effect: &'a EffectKey,
    ) -> BoxFuture<'a, Result<(), ServiceError>>;

    /// How many jobs of a plugin wait to be delivered; need not count further than
    /// [`super::jobs::JOBS_WAITING_MAX`].
    fn jobs_waiting<'a>(&'a self, plugin: &'a str) -> BoxFuture<'a, Result<usize, ServiceError>>;

    /// Does what a plugin asks of the incident engine. Verbs were checked; who `by` is, and what
    /// that person may do, is the implementation's to decide. Takes effect once per key.
    fn command(&self, command: PluginCommand)
    -> BoxFuture<'_, Result<CommandAnswer, CommandError>>;

    /// Finds a person by how a channel knows them.
    fn person_by_contact<'a>(
        &'a self,
        kind: &'a str,
        id: &'a str,
    ) -> BoxFuture<'a, Result<Option<Person>, ServiceError>>;

    /// Sends a message over the operator's relay `email.relay`. `message_key`, where given, is
    /// stable over retries: derive the Message-ID from it.
    fn send_mail<'a>(
        &'a self,
        plugin: &'a str,
        email: Email,
        message_key: Option<String>,
    ) -> BoxFuture<'a, Result<Receipt, MailError>>;
}

/// Names one outside effect over all tries of its delivery.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EffectKey {
    /// The plugin.
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
    /// It was started before and nobody knows how it ended.
    Started,
    /// It ended well; this was the answer.
    Finished(Vec<u8>),
}

/// A command with the key under which it takes effect once.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginCommand {
    /// The plugin that asks.
    pub plugin: String,
    /// The idempotency key of the delivery that it is working on.
    pub delivery: String,
    /// Stable over retries: made of the delivery, the function, its arguments, and how many equal
    /// ones came before it in this call.
    pub key: String,
    /// What it asks.
    pub action: CommandAction,
}

/// The functions of the `commands` interface.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandAction {
    /// One incident; answers [`CommandAnswer::Incident`].
    Get {
        /// The incident.
        id: String,
    },
    /// Many; answers [`CommandAnswer::Incidents`].
    List {
        /// JSON.
        filter: String,
        /// The last id of the page before.
        after: Option<String>,
    },
    /// By an outside name; answers [`CommandAnswer::Found`].
    FindByRef {
        /// Such as `channel`.
        kind: String,
        /// The outside id.
        id: String,
    },
    /// Opens one; answers [`CommandAnswer::Incident`].
    Open {
        /// What is known.
        draft: Draft,
        /// Who says so.
        by: Actor,
    },
    /// A chat line; answers [`CommandAnswer::Text`].
    Run {
        /// The incident of the war room, if it was typed in one.
        incident_id: Option<String>,
        /// The line.
        line: String,
        /// Who typed it.
        by: Actor,
    },
    /// A structured action; answers [`CommandAnswer::Text`] with JSON.
    Apply {
        /// The incident.
        incident_id: String,
        /// JSON.
        action: String,
        /// Who did it.
        by: Actor,
    },
    /// A press on a prompt; answers [`CommandAnswer::Text`].
    Answer {
        /// The prompt.
        prompt_id: String,
        /// The choice.
        choice_id: String,
        /// Who pressed.
        by: Actor,
    },
    /// A log entry; answers [`CommandAnswer::Done`].
    AddLog {
        /// The incident.
        incident_id: String,
        /// Seen, decided, done or note.
        kind: LogKind,
        /// CommonMark.
        body: String,
        /// When it happened, if not now, in milliseconds since the Unix epoch.
        at: Option<u64>,
        /// Who says so.
        by: Actor,
    },
    /// An outside name; answers [`CommandAnswer::Done`].
    Link {
        /// The incident.
        incident_id: String,
        /// Such as `channel`.
        kind: String,
        /// The outside id.
        ref_id: String,
        /// Where it is.
        url: Option<String>,
    },
    /// A change; answers [`CommandAnswer::Done`].
    RecordChange {
        /// JSON.
        change: String,
    },
    /// A signal; answers [`CommandAnswer::Done`].
    Signal {
        /// JSON.
        signal: String,
    },
}

impl CommandAction {
    /// The verb that grants it. A chat line that begins with `ack` needs only [`Verb::Ack`].
    pub fn verb(&self) -> Verb {
        match self {
            Self::Get { .. } => Verb::Get,
            Self::List { .. } => Verb::List,
            Self::FindByRef { .. } => Verb::FindByRef,
            Self::Open { .. } => Verb::Open,
            Self::Run { line, .. } if is_ack(line) => Verb::Ack,
            Self::Run { .. } => Verb::Run,
            Self::Apply { .. } => Verb::Apply,
            Self::Answer { .. } => Verb::Answer,
            Self::AddLog { .. } => Verb::Log,
            Self::Link { .. } => Verb::Link,
            Self::RecordChange { .. } => Verb::RecordChange,
            Self::Signal { .. } => Verb::Signal,
        }
    }
}

/// One line, whose first word is `ack`: a second line could say anything.
fn is_ack(line: &str) -> bool {
    line.split_whitespace().next() == Some("ack") && !line.trim().contains(['\n', '\r'])
}

/// What a command gives back.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandAnswer {
    /// One incident.
    Incident(Box<Incident>),
    /// Many.
    Incidents(Vec<Incident>),
    /// One or none.
    Found(Option<Box<Incident>>),
    /// Text or JSON.
    Text(String),
    /// Nothing but success.
    Done,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_ack_covers_one_line_that_begins_with_ack() {
        let by = || Actor {
            kind: "person".into(),
            id: "a".into(),
            display_name: None,
        };
        let run = |line: &str| CommandAction::Run {
            incident_id: None,
            line: line.into(),
            by: by(),
        };
        let cases = [
            ("ack", Verb::Ack),
            (" ack 42\n", Verb::Ack),
            ("acknowledge", Verb::Run),
            ("resolve", Verb::Run),
            ("ack\nresolve", Verb::Run),
            ("", Verb::Run),
        ];
        for (line, want) in cases {
            assert_eq!(run(line).verb(), want, "{line:?}");
        }
    }
}
