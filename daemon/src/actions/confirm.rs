//! `confirm`: a change caused the incident.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::AboutChange;
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::verb::{some_text, split};
use crate::disclosure::Clearance;

/// Say that a change, such as a deployment, caused the incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirm {
    /// The change's number within the incident.
    #[arg(value_name = "CHANGE")]
    pub(crate) change: u32,
    /// What there is to say about it, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "the pool is too small")]
    pub(crate) text: Option<String>,
}

impl Verb for Confirm {
    const NAME: &'static str = "confirm";
    const SYNTAX: &'static str = "CHANGE [TEXT]";
    const EXAMPLE: &'static str = "tocsin incident confirm 42 1 \"the pool is too small\"";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let (change, text) = change_and_text(rest, Self::NAME)?;
        Ok(Self { change, text })
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        Command::Change(AboutChange::Judged {
            number: self.change,
            caused: true,
            text: self.text,
        })
    }
}

/// The number of a change, and what follows it.
pub(super) fn change_and_text(rest: &str, verb: &str) -> Result<(u32, Option<String>), String> {
    let (first, text) = split(rest);
    let number = first.trim_start_matches('#').parse::<u32>();
    let number = number.map_err(|_| {
        format!("name the change by its number, as in `{verb} 1`; `status` lists the changes")
    })?;
    Ok((number, some_text(text)))
}
