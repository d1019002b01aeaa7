//! `log`: adds an entry to the incident's log: what was seen, decided or done.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde::{Deserialize, Serialize};
use tocsin_core::command::Command;
use tocsin_core::event::{LogDraft, LogKind, Written};
use utoipa::ToSchema;

use super::Verb;
use super::verb::split;
use crate::disclosure::Clearance;

/// Add an entry to the incident's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Log {
    /// The kind of entry. Default `note`.
    #[serde(default = "note")]
    #[schema(value_type = String, example = "decided")]
    #[arg(long, value_parser = kinds(), default_value = "note")]
    pub(crate) kind: LogKind,
    /// What to add to the log.
    #[arg(value_name = "TEXT")]
    pub(crate) body: String,
    /// From a plugin: how it was written.
    #[serde(skip)]
    #[schema(ignore)]
    #[arg(skip)]
    pub(crate) written: Written,
}

impl Verb for Log {
    const NAME: &'static str = "log";
    const SYNTAX: &'static str = "[seen|decided|done] TEXT";
    const EXAMPLE: &'static str = "tocsin incident log 42 --kind decided \"We roll back to 1.4\"";

    fn parse(rest: &str, _via: &str) -> Result<Self, String> {
        let (word, text) = split(rest);
        let (kind, body) = match word.parse() {
            Ok(kind) => (kind, text),
            Err(_) => (LogKind::Note, rest),
        };
        if body.is_empty() {
            let why = "there is nothing to log; type it, as in `log decided we roll back`";
            return Err(why.to_owned());
        }
        let body = body.to_owned();
        Ok(Self {
            kind,
            body,
            written: Written::default(),
        })
    }

    fn into_command(self, _via: &str, _clearance: Clearance) -> Command {
        Command::Log(LogDraft {
            kind: self.kind,
            body: self.body,
            written: self.written,
        })
    }
}

fn note() -> LogKind {
    LogKind::Note
}

/// Parses a kind on the command line.
fn kinds() -> impl TypedValueParser<Value = LogKind> {
    let words = LogKind::ALL.map(|kind| {
        PossibleValue::new(kind.as_str()).help(match kind {
            LogKind::Seen => "Somebody saw something",
            LogKind::Decided => "Something was decided",
            LogKind::Done => "Something was done",
            LogKind::Note => "Anything else",
        })
    });
    PossibleValuesParser::new(words).try_map(|word| word.parse::<LogKind>())
}
