//! `grade`: a person's decision on how bad an incident is. It takes precedence over the policies'.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde::{Deserialize, Serialize};
use tocsin_core::Incident;
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::verb::{reason_or, some_text, split};

/// Grade it by hand; from then on policies only propose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Grade {
    /// How bad it is.
    #[schema(value_type = String, example = "critical")]
    #[arg(value_parser = grades())]
    pub(crate) grade: tocsin_core::Grade,
    /// Why, for the log.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Whether only people with clearance may know; left out, it stays as it is.
    #[serde(default)]
    #[arg(long, value_name = "BOOL")]
    pub(crate) security: Option<bool>,
}

impl Verb for Grade {
    const NAME: &'static str = "grade";
    const SYNTAX: &'static str = "minor|major|critical [REASON]";
    const EXAMPLE: &'static str = "tocsin incident grade 42 critical --reason \"orders are lost\"";

    fn parse(rest: &str, via: &str) -> Result<Self, String> {
        let (grade, reason) = split(rest);
        Ok(Self {
            grade: grade.parse().map_err(|error| format!("{error}"))?,
            security: None,
            reason: reason_or(some_text(reason), via),
        })
    }

    /// The flag is what redacts: who may not know of security incidents may not remove it either.
    fn needs_clearance(&self, incident: &Incident) -> bool {
        incident.grading.security && self.security == Some(false)
    }

    fn into_command(self, _via: &str) -> Command {
        Command::Grade {
            grade: self.grade,
            security: self.security,
            reason: self.reason,
            replan: None,
        }
    }
}

/// Reads a grade on the command line.
pub(super) fn grades() -> impl TypedValueParser<Value = tocsin_core::Grade> {
    let words = tocsin_core::Grade::ALL.map(|grade| {
        PossibleValue::new(grade.as_str()).help(match grade {
            tocsin_core::Grade::Minor => "Not normal, major features unaffected",
            tocsin_core::Grade::Major => "A major feature is broken, no data lost",
            tocsin_core::Grade::Critical => "Unreachable, or a major feature broken with data loss",
        })
    });
    PossibleValuesParser::new(words).try_map(|word| word.parse::<tocsin_core::Grade>())
}
