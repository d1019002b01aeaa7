//! `close`: closes a resolved incident.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use crate::disclosure::Clearance;

/// Close a resolved incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Close {}

impl Verb for Close {
    const NAME: &'static str = "close";
    const EXAMPLE: &'static str = "tocsin incident close 42";

    fn parse(_rest: &str, _via: &str) -> Result<Self, String> {
        Ok(Self {})
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        Command::Close
    }
}
