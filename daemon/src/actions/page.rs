//! `page`: pages a person about an incident, whoever has it.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::command::{Command, Named};
use utoipa::ToSchema;

use super::Verb;
use super::verb::some_text;
use crate::disclosure::Clearance;

/// Longest name that may be a person's, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// Page a person about the incident; nothing else changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// The person's ID in the configuration.
    #[schema(example = "ada")]
    pub(crate) person: String,
}

impl Verb for Page {
    const NAME: &'static str = "page";
    const SYNTAX: &'static str = "PERSON";
    const EXAMPLE: &'static str = "tocsin incident page 42 ada";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let person = person_in(rest, "page ada")?;
        Ok(Self { person })
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        Command::Page {
            to: Named::of(self.person.into()),
        }
    }
}

/// The person whom a line names. `example`: a correct line.
pub(super) fn person_in(rest: &str, example: &str) -> Result<String, String> {
    let name = some_text(rest.trim().trim_start_matches('@'));
    let name = name.filter(|it| it.len() <= NAME_BYTES_MAX);
    name.ok_or_else(|| format!("name a person, as in `{example}`"))
}
