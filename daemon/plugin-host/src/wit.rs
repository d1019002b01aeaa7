//! The host's bindings of `plugin-sdk/wit`, the interface between the daemon and its plugins.
//!
//! Generated from the same file as the guests' bindings, so that the two sides cannot diverge
//! unnoticed. The data types are re-exported because this crate's public functions use them.

mod generated {
    #![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

    wasmtime::component::bindgen!({
        path: "../../plugin-sdk/wit",
        world: "plugin",
        imports: {
            "tocsin:plugin/log": trappable,
            "tocsin:plugin/clock": trappable,
            "tocsin:plugin/config": trappable,
            default: async | trappable,
        },
        exports: { default: async },
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}

pub(crate) use generated::tocsin::plugin::{
    clock, commands, config, http, jobs, kv, log, mail, people, types,
};
pub(crate) use generated::{Plugin, PluginPre};

pub use generated::exports::tocsin::plugin::handler::{
    Descriptor, HealthReport, Issue, Tick, WebhookRequest, WebhookResponse,
};
pub use generated::tocsin::plugin::commands::{CommandError, Draft, LogDraft};
pub use generated::tocsin::plugin::http::Header;
pub use generated::tocsin::plugin::kv::{Entry as KvEntry, KvError, Page as KvPage};
pub use generated::tocsin::plugin::log::{Field as LogField, Level as LogLevel};
pub use generated::tocsin::plugin::mail::{Attachment, Email, MailError, Receipt};
pub use generated::tocsin::plugin::types::{
    Actor, Audience, Choice, Delivery, Document, Event, EventBody, ExternalRef, Fact, Grade,
    Incident, IncidentChange, Job, Label, Link, LogEntry, LogKind, OtherEvent, Outcome, Page,
    PageItem, PageLine, Person, Promise, Prompt, Receipt as PageReceipt, RetryHint, Settled,
    Status, Update, Urgency,
};
