//! `update`: tells an audience how it goes, and when they hear more.

use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::Audience;
use tocsin_core::command::Command;
use utoipa::ToSchema;

use super::Verb;
use super::verb::split;
use crate::config::Span;
use crate::disclosure::Clearance;

/// Tell an audience how it goes, and promise when they hear more. Only the spokesperson does, or
/// the operator while there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Update {
    /// Who is told: `engineering`, `company` or `public`.
    #[schema(value_type = String, example = "company")]
    pub(crate) audience: Audience,
    /// What they are told.
    pub(crate) text: String,
    /// How soon they hear more, 5m to 7d; without it, as the communication policy says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "30m")]
    #[arg(long, value_name = "SPAN")]
    pub(crate) next: Option<Span>,
}

/// A correct line.
const TYPED: &str = "update company We roll back. next 30m";

impl Verb for Update {
    const NAME: &'static str = "update";
    const SYNTAX: &'static str = "engineering|company|public TEXT [next 30m]";
    const EXAMPLE: &'static str =
        "tocsin incident update 42 company \"Payments fail; we roll back.\" --next 30m";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let (audience, text) = split(rest);
        let audience = audience.parse::<Audience>().map_err(|_| {
            format!("say whom you tell what, engineering, company or public, as in `{TYPED}`")
        })?;
        let (text, next) = next_in(text)?;
        if text.is_empty() {
            return Err(format!("there is nothing to say; type it, as in `{TYPED}`"));
        }
        let text = text.to_owned();
        Ok(Self {
            audience,
            text,
            next,
        })
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        Command::Update {
            audience: self.audience,
            body: self.text,
            next_ms: self.next.map(Span::as_ms),
            cadence: None,
        }
    }
}

/// The text, and the `next 30m` or `next in 30m` at its end; a text that ends otherwise is a text.
///
/// # Errors
/// When it ends with a number that is no time: a promise must not be published as text.
fn next_in(text: &str) -> Result<(&str, Option<Span>), String> {
    let text = text.trim();
    let Some((before, span)) = text.rsplit_once(char::is_whitespace) else {
        return Ok((text, None));
    };
    let span = span.trim_end_matches(']');
    let before = before.trim_end();
    let before = before.strip_suffix(" in").unwrap_or(before).trim_end();
    let before = before.strip_suffix("next");
    let before = before.map(|it| it.trim_end_matches(['[', ';', ',', ' ']));
    match (before, span.parse()) {
        (Some(before), Ok(span)) => Ok((before.trim_end(), Some(span))),
        (Some(_), Err(_)) if span.starts_with(|it: char| it.is_ascii_digit()) => Err(format!(
            "`{span}` is no time; end with one such as `next 30m`"
        )),
        _ => Ok((text, None)),
    }
}
