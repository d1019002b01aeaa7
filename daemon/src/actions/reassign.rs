//! `reassign`: passes an incident on to another person.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::{Command, Named};
use utoipa::ToSchema;

use super::Verb;
use super::page::person_in;
use crate::disclosure::Clearance;

/// Pass the incident on: the person is paged, and without their answer the escalation starts again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reassign {
    /// The person's ID in the configuration.
    #[schema(example = "ada")]
    pub(crate) person: String,
}

impl Verb for Reassign {
    const NAME: &'static str = "reassign";
    const SYNTAX: &'static str = "PERSON";
    const EXAMPLE: &'static str = "tocsin incident reassign 42 ada";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let person = person_in(rest, "reassign ada")?;
        Ok(Self { person })
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        Command::Reassign {
            to: Named::of(self.person.into()),
        }
    }
}
