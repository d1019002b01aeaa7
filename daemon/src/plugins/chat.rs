//! The chat grammar: what people type after `/incident`, and what the buttons of plugins send.
//! One grammar for every chat, so that nobody learns two.

use tocsin_core::Grade;
use tocsin_core::command::Command;
use tocsin_core::event::LogKind;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A command to the incident.
    Command(Command),
    /// How the incident stands.
    Status,
    /// What can be typed.
    Help,
}

/// What can be typed, for `help` and for whoever mistypes.
pub const HELP: &str = "ack · status · grade minor|major|critical [REASON] · \
    log [seen|decided|done] TEXT · mitigate [REASON] · resolve [REASON]";

/// Reads a line; `via` is the channel that it came through.
///
/// # Errors
/// What is wrong with it, and what can be typed.
pub fn parse(line: &str, via: &str) -> Result<Line, String> {
    let (word, rest) = split(line);
    let or = |fallback: &str| {
        let reason = if rest.is_empty() { fallback } else { rest };
        reason.to_owned()
    };
    let command = match word {
        "ack" | "acknowledge" => Command::Acknowledge {
            via: via.to_owned(),
        },
        "resolve" => Command::Resolve {
            reason: or("said in chat"),
        },
        "mitigate" => Command::Mitigate {
            reason: or("said in chat"),
        },
        "grade" => {
            let (grade, reason) = split(rest);
            let grade: Grade = grade.parse().map_err(|error| format!("{error}"))?;
            let reason = if reason.is_empty() {
                "said in chat"
            } else {
                reason
            };
            Command::Grade {
                grade,
                security: None,
                reason: reason.to_owned(),
                replan: None,
            }
        }
        "log" => log_line(rest)?,
        "" | "status" => return Ok(Line::Status),
        "help" => return Ok(Line::Help),
        other => return Err(format!("`{other}` is not understood; type one of: {HELP}")),
    };
    Ok(Line::Command(command))
}

fn log_line(rest: &str) -> Result<Command, String> {
    let (word, body) = split(rest);
    let kind = match word {
        "seen" => Some(LogKind::Seen),
        "decided" => Some(LogKind::Decided),
        "done" => Some(LogKind::Done),
        _ => None,
    };
    let (kind, body) = match kind {
        Some(kind) => (kind, body),
        None => (LogKind::Note, rest),
    };
    if body.is_empty() {
        return Err("there is nothing to log; type: log [seen|decided|done] TEXT".to_owned());
    }
    Ok(Command::Log {
        kind,
        body: body.to_owned(),
    })
}

fn split(line: &str) -> (&str, &str) {
    let line = line.trim();
    match line.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim()),
        None => (line, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_in_a_few_words() {
        let ack = Command::Acknowledge {
            via: "slack".to_owned(),
        };
        assert_eq!(parse(" ack ", "slack"), Ok(Line::Command(ack)));
        let log = Command::Log {
            kind: LogKind::Decided,
            body: "roll back".to_owned(),
        };
        assert_eq!(
            parse("log decided  roll back", "slack"),
            Ok(Line::Command(log))
        );
        let note = Command::Log {
            kind: LogKind::Note,
            body: "the disk is full".to_owned(),
        };
        assert_eq!(
            parse("log the disk is full", "slack"),
            Ok(Line::Command(note))
        );
        let reason = "orders are lost".to_owned();
        let grade = Command::Grade {
            grade: Grade::Critical,
            security: None,
            reason,
            replan: None,
        };
        assert_eq!(
            parse("grade critical orders are lost", "slack"),
            Ok(Line::Command(grade))
        );
        assert_eq!(parse("", "slack"), Ok(Line::Status));
    }

    #[test]
    fn a_mistyped_line_says_what_can_be_typed() {
        for (line, says) in [
            ("akc", "type one of: ack"),
            ("grade terrible", "use minor, major or critical"),
            ("log", "nothing to log"),
        ] {
            let error = parse(line, "slack").unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
