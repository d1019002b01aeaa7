//! `unack`: withdraws an acknowledgement, which restarts the escalation.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::verb::some_text;
use crate::disclosure::Clearance;

/// Withdraw the acknowledgement: the incident has no operator, and the escalation restarts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unack {
    /// Why, for the log.
    #[serde(default)]
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

impl Verb for Unack {
    const NAME: &'static str = "unack";
    const ALIASES: &'static [&'static str] = &["unacknowledge"];
    const SYNTAX: &'static str = "[REASON]";
    const EXAMPLE: &'static str = "tocsin incident unack 42 --reason \"on a train\"";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let reason = some_text(rest);
        Ok(Self { reason })
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        Command::Unacknowledge {
            reason: self.reason.as_deref().and_then(some_text),
        }
    }
}
