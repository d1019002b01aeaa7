//! The chat grammar: what people type after `/incident`, and what the buttons of plugins send.
//! Every chat uses the same grammar.

use tocsin_policy::nearest;

use super::oncall::chat::{self as oncall, OnCallLine};
use super::verb::split;
use super::{Action, NewIncident, SilenceLine, VERBS, open, silence};
use crate::text::cut;

/// Commands besides the verbs.
const OTHERS: [&str; 6] = ["open", "status", "why", "silence", "oncall", "help"];
/// How much of an unknown command is shown, in bytes.
const COMMAND_BYTES_MAX: usize = 40;

/// A parsed line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// An action on the incident.
    Action(Action),
    /// Belongs to no incident yet.
    Open(NewIncident),
    /// Show the incident's state.
    Status,
    /// Show what the policies decided about the incident.
    Why,
    /// Silence alerts, or end that, which belongs to no incident.
    Silence(SilenceLine),
    /// Something about who is on call, which belongs to no incident.
    OnCall(OnCallLine),
    /// Show the possible commands.
    Help,
}

/// The possible commands, for `help`.
pub(crate) fn help() -> String {
    let verbs = VERBS.iter();
    let mut lines: Vec<_> = verbs
        .map(|it| format!("{} {}", it.name, it.syntax).trim_end().to_owned())
        .collect();
    lines.insert(0, format!("open {}", open::SYNTAX));
    lines.extend(["status".to_owned(), "why".to_owned()]);
    lines.push(format!("silence {}", silence::SYNTAX));
    lines.push("oncall help".to_owned());
    lines.join("\n")
}

/// Parses a line; `via` is the channel that it came through.
///
/// # Errors
/// What is wrong with it, and what to type instead.
pub(crate) fn parse(line: &str, via: &str) -> Result<Line, String> {
    let (word, rest) = split(line);
    match word {
        "" | "status" => return Ok(Line::Status),
        "why" => return Ok(Line::Why),
        "open" => return NewIncident::parse(rest).map(Line::Open),
        "silence" => return SilenceLine::parse(rest).map(Line::Silence),
        "help" => return Ok(Line::Help),
        "oncall" => return oncall::parse(rest).map(Line::OnCall),
        _ => {}
    }
    let verb = VERBS
        .iter()
        .find(|it| it.name == word || it.aliases.contains(&word));
    match verb {
        Some(verb) => (verb.parse)(rest, via).map(Line::Action),
        None => Err(unknown(
            "",
            word,
            VERBS.iter().map(|it| it.name).chain(OTHERS),
        )),
    }
}

/// Why a command after `prefix` is unknown, with the nearest one.
pub(in crate::actions) fn unknown<'a>(
    prefix: &str,
    command: &str,
    all: impl Iterator<Item = &'a str>,
) -> String {
    let (command, _) = cut(command.to_owned(), COMMAND_BYTES_MAX);
    let near = nearest(&command, all);
    let near = near
        .map(|it| format!("`{prefix}{it}`, or "))
        .unwrap_or_default();
    format!("there is no command `{prefix}{command}`; type {near}`{prefix}help` for all of them")
}
