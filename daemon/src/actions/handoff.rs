//! `handoff`: passes a role to a person, who must accept it.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::Role;
use tocsin_core::command::{Command, Named};
use utoipa::ToSchema;

use super::Verb;
use super::page::person_in;
use super::verb::split;
use crate::disclosure::Clearance;

/// Ask a person to take a role, or take it: operator, spokesperson, commander or shadow. Until they
/// accept, whoever has it keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Handoff {
    /// The person's ID in the configuration; your own takes the role.
    #[schema(example = "bob")]
    pub(crate) person: String,
    /// The role; without it, the one that you have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "spokesperson")]
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<Role>,
}

/// A correct line.
const TYPED: &str = "handoff spokesperson bob";

impl Verb for Handoff {
    const NAME: &'static str = "handoff";
    const SYNTAX: &'static str = "[ROLE] PERSON";
    const EXAMPLE: &'static str = "tocsin incident handoff 42 bob --role spokesperson";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let (first, person) = split(rest);
        let (role, person) = match person {
            "" => (None, first),
            person => {
                let role = first.parse::<Role>();
                let role = role.map_err(|error| format!("{error}, as in `{TYPED}`"))?;
                (Some(role), person)
            }
        };
        let person = person_in(person, TYPED)?;
        Ok(Self { person, role })
    }

    fn into_command(self, via: &str, _clearance: Clearance) -> Command {
        Command::HandOff {
            role: self.role,
            to: Named::of(self.person.into()),
            via: via.to_owned(),
        }
    }
}
