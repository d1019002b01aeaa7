//! `resolve`: the service is working again.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::verb::{reason_or, some_text};
use crate::disclosure::Clearance;

/// Mark the incident as resolved: the service is working again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resolve {
    /// Why, for the log.
    #[serde(default)]
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

impl Verb for Resolve {
    const NAME: &'static str = "resolve";
    const SYNTAX: &'static str = "[REASON]";
    const EXAMPLE: &'static str = "tocsin incident resolve 42 --reason \"disk replaced\"";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let reason = some_text(rest);
        Ok(Self { reason })
    }

    fn into_command(self, via: &str, _clearance: Clearance) -> Command {
        Command::Resolve {
            reason: reason_or(self.reason, via),
        }
    }
}
