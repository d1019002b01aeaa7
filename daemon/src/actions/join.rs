//! `join`: helps with an incident.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use crate::disclosure::Clearance;

/// Help with the incident, without a role; in Slack you are invited to its war room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Join {}

impl Verb for Join {
    const NAME: &'static str = "join";
    const EXAMPLE: &'static str = "tocsin incident join 42";

    fn parse(_rest: &str, _via: &str) -> Result<Self, String> {
        Ok(Self {})
    }

    /// A security incident is joined only with clearance. Whether it is one is known only when the
    /// command is decided.
    fn into_command(self, _via: &str, clearance: Clearance) -> Command {
        Command::Join {
            may_see: clearance.may_see(true),
        }
    }
}
