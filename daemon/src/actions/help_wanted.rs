//! `help-wanted`: asks engineers for help with an incident.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::verb::some_text;
use crate::disclosure::Clearance;

/// Ask engineers for help; whoever wants to help joins the incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct HelpWanted {
    /// What help is needed; everybody in the engineering channel reads it.
    #[schema(example = "who knows the ledger?")]
    pub(crate) text: String,
}

impl Verb for HelpWanted {
    const NAME: &'static str = "help-wanted";
    const SYNTAX: &'static str = "TEXT";
    const EXAMPLE: &'static str = "tocsin incident help-wanted 42 \"who knows the ledger?\"";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let text = some_text(rest);
        let why = "say what help you need, as in `help-wanted who knows the ledger?`";
        let text = text.ok_or_else(|| why.to_owned())?;
        Ok(Self { text })
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        Command::HelpWanted { text: self.text }
    }
}
