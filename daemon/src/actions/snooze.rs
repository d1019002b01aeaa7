//! `snooze`: acknowledges an incident for a while.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use crate::config::Span;
use crate::disclosure::Clearance;

/// Acknowledge the incident for a while; then the escalation starts again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Snooze {
    /// For how long, 1m to 7d.
    #[serde(rename = "for")]
    #[schema(value_type = String, example = "30m")]
    #[arg(value_name = "SPAN")]
    pub(crate) span: Span,
}

impl Verb for Snooze {
    const NAME: &'static str = "snooze";
    const SYNTAX: &'static str = "SPAN";
    const EXAMPLE: &'static str = "tocsin incident snooze 42 30m";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let span = rest.trim().trim_start_matches("for ").parse();
        let span = span.map_err(|_| "say for how long, as in `snooze 30m`".to_owned())?;
        Ok(Self { span })
    }

    fn into_command(self, via: &str, _clearance: Clearance) -> Command {
        Command::Snooze {
            for_ms: self.span.as_ms(),
            via: via.to_owned(),
        }
    }
}
