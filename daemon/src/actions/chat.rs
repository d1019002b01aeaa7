//! The chat grammar: what people type after `/incident`, and what the buttons of plugins send.
//! One grammar for every chat, so that nobody learns two.

use super::verb::split;
use super::{Action, VERBS};

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// To do something with the incident.
    Action(Action),
    /// The incident's state.
    Status,
    /// What can be typed.
    Help,
}

/// What can be typed, for `help` and for whoever mistypes.
pub(crate) fn help() -> String {
    let verbs = VERBS.iter();
    let mut lines: Vec<_> = verbs
        .map(|it| format!("{} {}", it.name, it.syntax).trim_end().to_owned())
        .collect();
    lines.push("status".to_owned());
    lines.join(" · ")
}

/// Reads a line; `via` is the channel that it came through.
///
/// # Errors
/// What is wrong with it, and what can be typed.
pub(crate) fn parse(line: &str, via: &str) -> Result<Line, String> {
    let (word, rest) = split(line);
    match word {
        "" | "status" => return Ok(Line::Status),
        "help" => return Ok(Line::Help),
        _ => {}
    }
    let verb = VERBS
        .iter()
        .find(|it| it.name == word || it.aliases.contains(&word));
    match verb {
        Some(verb) => (verb.parse)(rest, via).map(Line::Action),
        None => Err(format!(
            "`{word}` is not understood; type one of: {}",
            help()
        )),
    }
}
