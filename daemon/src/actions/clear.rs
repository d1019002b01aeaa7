//! `clear`: a change did not cause the incident.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::AboutChange;
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::confirm::change_and_text;
use crate::disclosure::Clearance;

/// Say that a change, such as a deployment, did not cause the incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clear {
    /// The change's number within the incident.
    #[arg(value_name = "CHANGE")]
    pub(crate) change: u32,
    /// What there is to say about it, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "it was rolled back before")]
    pub(crate) text: Option<String>,
}

impl Verb for Clear {
    const NAME: &'static str = "clear";
    const SYNTAX: &'static str = "CHANGE [TEXT]";
    const EXAMPLE: &'static str = "tocsin incident clear 42 1 \"it was rolled back before\"";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let (change, text) = change_and_text(rest, Self::NAME)?;
        Ok(Self { change, text })
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        Command::Change(AboutChange::Judged {
            number: self.change,
            caused: false,
            text: self.text,
        })
    }
}
