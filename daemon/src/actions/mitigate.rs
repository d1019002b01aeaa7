//! `mitigate`: the impact is mitigated, although the cause is not fixed.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::verb::{reason_or, some_text};
use crate::disclosure::Clearance;

/// Mark the impact as mitigated, although the cause is not fixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mitigate {
    /// Why, for the log.
    #[serde(default)]
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

impl Verb for Mitigate {
    const NAME: &'static str = "mitigate";
    const SYNTAX: &'static str = "[REASON]";
    const EXAMPLE: &'static str = "tocsin incident mitigate 42 --reason \"rolled back\"";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let reason = some_text(rest);
        Ok(Self { reason })
    }

    fn into_command(self, via: &str, _clearance: Clearance) -> Command {
        Command::Mitigate {
            reason: reason_or(self.reason, via),
        }
    }
}
