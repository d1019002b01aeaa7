//! `ack`: acknowledges an incident, which stops the escalation.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use crate::disclosure::Clearance;

/// Acknowledge the incident: you respond, and nobody else is paged.
///
/// The first person to acknowledge becomes the operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ack {}

impl Verb for Ack {
    const NAME: &'static str = "ack";
    const ALIASES: &'static [&'static str] = &["acknowledge"];
    const EXAMPLE: &'static str = "tocsin incident ack 42";

    fn parse(_rest: &str, _via: &str) -> Result<Self, String> {
        Ok(Self {})
    }

    fn into_command(self, via: &str, _clearance: Clearance) -> Command {
        Command::Acknowledge {
            via: via.to_owned(),
        }
    }
}
