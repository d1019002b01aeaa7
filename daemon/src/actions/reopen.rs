//! `reopen`: goes on with an incident that was resolved too early.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::verb::some_text;
use crate::disclosure::Clearance;

/// Why, if nobody says.
const REASON: &str = "it is not solved";

/// Reopen a resolved incident: its escalation starts again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reopen {
    /// Why, for the log. Default "it is not solved".
    #[serde(default)]
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

impl Verb for Reopen {
    const NAME: &'static str = "reopen";
    const SYNTAX: &'static str = "[REASON]";
    const EXAMPLE: &'static str = "tocsin incident reopen 42 --reason \"errors are back\"";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let reason = some_text(rest);
        Ok(Self { reason })
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        let reason = self.reason.as_deref().and_then(some_text);
        Command::Reopen {
            reason: Some(reason.unwrap_or_else(|| REASON.to_owned())),
            replan: None,
            rival: false,
        }
    }
}
