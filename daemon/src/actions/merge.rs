//! `merge`: the incident is part of another one.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::{self, Command};
use utoipa::ToSchema;

use super::Verb;
use super::verb::{reason_or, some_text, split};
use crate::disclosure::Clearance;

/// Merge the incident into another one, which goes on with its alerts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Merge {
    /// The number of the incident that goes on.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) into: u64,
    /// Why, for the log.
    #[serde(default)]
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

impl Verb for Merge {
    const NAME: &'static str = "merge";
    const SYNTAX: &'static str = "into NUMBER [REASON]";
    const EXAMPLE: &'static str = "tocsin incident merge 43 --into 42";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let (first, others) = split(rest);
        let (number, reason) = match first {
            "into" => split(others),
            _ => (first, others),
        };
        let into = number.trim_start_matches('#').parse();
        Ok(Self {
            into: into.map_err(|_| {
                "name the other incident by its number, as in `merge into 42`".to_owned()
            })?,
            reason: some_text(reason),
        })
    }

    fn into_command(self, via: &str, clearance: Clearance) -> Command {
        Command::Merge(Box::new(command::Merge {
            into: self.into,
            may_see: clearance.may_see(true),
            reason: reason_or(self.reason, via),
            target: None,
        }))
    }
}
