//! What people type after `/incident oncall`.

use super::{ON_CALL_VERBS, OnCallAction};
use crate::actions::chat::unknown;
use crate::config::Moment;

/// Commands besides the verbs.
const OTHERS: [&str; 5] = ["who", "list", "show", "load", "help"];

/// A parsed line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OnCallLine {
    Change(OnCallAction),
    /// Show who is on call at a time; now, if it is left out.
    Who(Option<Moment>),
    /// Show the overrides.
    List,
    /// Show the schedule of a rotation.
    Show(String),
    /// Show how much the members of a team, or all people, had to do.
    Load(Option<String>),
    /// Show the possible commands.
    Help,
}

/// The possible commands, for `help`.
pub(crate) fn help() -> String {
    let mut lines = vec![
        "oncall who [at TIME]".to_owned(),
        "oncall show ROTATION".to_owned(),
    ];
    lines.push("oncall list".to_owned());
    lines.push("oncall load [TEAM]".to_owned());
    let verbs = ON_CALL_VERBS.iter();
    lines.extend(verbs.map(|it| format!("oncall {} {}", it.name, it.syntax)));
    lines.join(" · ")
}

/// Parses what follows `oncall`.
///
/// # Errors
/// What is wrong with it, and what to type instead.
pub(crate) fn parse(rest: &str) -> Result<OnCallLine, String> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let (word, rest) = match words.as_slice() {
        [] => ("who", &[][..]),
        [word, rest @ ..] => (*word, rest),
    };
    match (word, rest) {
        ("who", []) => return Ok(OnCallLine::Who(None)),
        ("who", ["at", at @ ..]) => {
            let at = at.join(" ").parse::<Moment>();
            let why = "say when, as in `oncall who at 2026-12-24T18:00`";
            let at = at.map_err(|_| why.to_owned())?;
            return Ok(OnCallLine::Who(Some(at)));
        }
        ("list", []) => return Ok(OnCallLine::List),
        ("show", [rotation]) => return Ok(OnCallLine::Show((*rotation).to_owned())),
        ("load", []) => return Ok(OnCallLine::Load(None)),
        ("load", [team]) => return Ok(OnCallLine::Load(Some((*team).to_owned()))),
        ("help", []) => return Ok(OnCallLine::Help),
        _ => {}
    }
    match ON_CALL_VERBS.iter().find(|it| it.name == word) {
        Some(verb) => (verb.parse)(rest).map(OnCallLine::Change),
        None if word == "show" => Err("name a rotation, as in `oncall show payments`".to_owned()),
        None => {
            let names = ON_CALL_VERBS.iter().map(|it| it.name);
            Err(unknown("oncall ", word, names.chain(OTHERS)))
        }
    }
}
