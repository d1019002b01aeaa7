//! `grade`: sets an incident's grade by hand. It takes precedence over the policies' grade.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::verb::{reason_or, some_text, split};
use crate::disclosure::Clearance;

/// Set the grade by hand; from then on policies only propose grades.
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
    /// Whether only people with clearance may see the details; left out, unchanged.
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
            grade: grade.parse().map_err(|_| {
                "say how bad it is, as in `grade critical orders are lost`; a grade is minor, \
                 major or critical"
                    .to_owned()
            })?,
            security: None,
            reason: reason_or(some_text(reason), via),
        })
    }

    /// Removing the security flag discloses the incident, so it needs clearance. Whether the
    /// incident has the flag is known only when the command is decided.
    fn into_command(self, _via: &str, clearance: Clearance) -> Command {
        Command::Grade {
            grade: self.grade,
            security: self.security,
            may_declassify: clearance.may_see(true),
            reason: self.reason,
            replan: None,
        }
    }
}

/// Parses a grade on the command line.
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
