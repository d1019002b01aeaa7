//! The manifest as parsed from TOML, with source positions for faults.

use super::inject::RawInject;
use super::{SecretAsk, SettingKind, Verb};
use crate::rights::grants::Grants;
use crate::rights::limits::LimitRequest;
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Raw {
    pub(super) schema: Spanned<u32>,
    pub(super) id: Spanned<String>,
    pub(super) version: Spanned<String>,
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) events: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) contacts: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) address: Vec<RawAddress>,
    #[serde(default)]
    pub(super) config: Vec<RawSetting>,
    #[serde(default)]
    pub(super) secret: Vec<Spanned<SecretAsk>>,
    #[serde(default)]
    pub(super) http: Vec<RawHttp>,
    #[serde(default)]
    pub(super) webhook: Vec<RawWebhook>,
    #[serde(default)]
    pub(super) schedule: Vec<RawSchedule>,
    #[serde(default)]
    pub(super) socket: Vec<Spanned<RawSocket>>,
    #[serde(default)]
    pub(super) commands: RawCommands,
    #[serde(default)]
    pub(super) mail: RawMail,
    #[serde(default)]
    pub(super) limits: LimitRequest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawSetting {
    pub(super) key: Spanned<String>,
    pub(super) kind: SettingKind,
    pub(super) default: Option<Spanned<toml::Value>>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) help: String,
    #[serde(default)]
    pub(super) needs: Grants,
    #[serde(default)]
    pub(super) replaces_links: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawAddress {
    pub(super) contact: Spanned<String>,
    pub(super) pattern: Spanned<String>,
    pub(super) help: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawHttp {
    pub(super) name: Spanned<String>,
    pub(super) origin: Spanned<String>,
    pub(super) paths: Vec<Spanned<String>>,
    pub(super) methods: Vec<Spanned<String>>,
    pub(super) inject: Option<Spanned<RawInject>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawWebhook {
    pub(super) route: Spanned<String>,
    pub(super) methods: Vec<Spanned<String>>,
    pub(super) budget_ms: Option<Spanned<u64>>,
    pub(super) max_body_bytes: Option<Spanned<usize>>,
    pub(super) verify: Spanned<RawVerify>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawVerify {
    pub(super) scheme: String,
    #[serde(default)]
    pub(super) secret: String,
    pub(super) header: Option<String>,
    pub(super) id_header: Option<String>,
    pub(super) tolerance_s: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawSocket {
    pub(super) name: Spanned<String>,
    pub(super) origins: Vec<String>,
    pub(super) secret: Option<String>,
    #[serde(default)]
    pub(super) ids: Vec<String>,
    pub(super) budget_ms: Option<u64>,
    pub(super) max_frame_bytes: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawSchedule {
    pub(super) name: Spanned<String>,
    pub(super) cron: Spanned<String>,
    pub(super) timezone: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCommands {
    #[serde(default)]
    pub(super) verbs: Vec<Verb>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMail {
    #[serde(default)]
    pub(super) relays: Vec<Spanned<String>>,
}
