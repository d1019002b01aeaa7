//! Parses a scenario file.

use std::path::Path;

use super::action::Action;
use super::fact::Fact;
use super::setup::Setup;
use super::words::{span, words};

/// A parsed scenario.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file's name in failures.
    pub file: String,
    /// Its first comment: the requirement in one line.
    pub title: String,
    pub setup: Setup,
    pub lines: Vec<Line>,
}

/// One timed line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    pub text: String,
    pub when: When,
    pub what: What,
}

/// When a line applies, in milliseconds since the scenario's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At this time.
    At(u64),
    /// At this time; pages may have come at any time before.
    By(u64),
    /// From the previous line until this time.
    Until(u64),
    /// At some time between these times, inclusive.
    Within(u64, u64),
}

#[derive(Clone, Debug)]
pub enum What {
    Do(Action),
    Expect(Fact),
}

impl When {
    /// When the line ends.
    #[must_use]
    pub fn end(self) -> u64 {
        match self {
            Self::At(at) | Self::By(at) | Self::Until(at) | Self::Within(_, at) => at,
        }
    }
}

impl Script {
    /// Reads a scenario from its file.
    ///
    /// # Errors
    /// `file:line: what is wrong`.
    pub fn read(path: &Path) -> Result<Self, String> {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        Self::parse(&file, &text)
    }

    /// Parses a scenario; `file` is its name in failures.
    ///
    /// # Errors
    /// `file:line: what is wrong`.
    pub fn parse(file: &str, text: &str) -> Result<Self, String> {
        let mut script = Self {
            file: file.to_owned(),
            title: String::new(),
            setup: Setup::default(),
            lines: Vec::new(),
        };
        let mut source = text.lines().enumerate();
        while let Some((index, line)) = source.next() {
            let number = index + 1;
            let line = line.trim();
            if let (true, Some(comment)) = (script.title.is_empty(), line.strip_prefix('#')) {
                comment.trim().clone_into(&mut script.title);
            }
            let fault = |what: String| format!("{file}:{number}: {what}\n  {line}");
            let (head, block) = match line.split_once("<<") {
                Some((head, mark)) => {
                    let mut body = String::new();
                    let ended = source.any(|(_, text)| {
                        let is_end = text.trim() == mark.trim();
                        if !is_end {
                            body.push_str(text);
                            body.push('\n');
                        }
                        is_end
                    });
                    if !ended {
                        return Err(fault(format!(
                            "the block has no end line `{}`",
                            mark.trim()
                        )));
                    }
                    (head, Some(body))
                }
                None => (line, None),
            };
            let words = words(head).map_err(fault)?;
            if !words.is_empty() {
                script.take(number, line, &words, block).map_err(fault)?;
            }
        }
        match script.title.is_empty() {
            true => Err(format!(
                "{file}:1: add a first comment with the requirement"
            )),
            false => Ok(script),
        }
    }

    fn take(
        &mut self,
        number: usize,
        text: &str,
        words: &[String],
        block: Option<String>,
    ) -> Result<(), String> {
        let Some((when, rest)) = when(words)? else {
            if !self.lines.is_empty() {
                let advice = "begin it with at, by, until or within, or move it to the top";
                return Err(format!("setup line after a timed line; {advice}"));
            }
            return self.setup.take(words, block);
        };
        let before = self.lines.last().map_or(0, |line| line.when.end());
        if when.end() < before {
            return Err("lines must be in chronological order".to_owned());
        }
        let what = match (when, Action::read(rest, block.clone())?) {
            (When::At(_), Some(action)) => What::Do(action),
            (_, Some(_)) => return Err("an action needs `at`".to_owned()),
            (_, None) => What::Expect(Fact::read(rest, block.as_deref())?),
        };
        self.lines.push(Line {
            number,
            text: text.to_owned(),
            when,
            what,
        });
        Ok(())
    }
}

fn when(words: &[String]) -> Result<Option<(When, &[String])>, String> {
    let [first, second, rest @ ..] = words else {
        return Ok(None);
    };
    let when = match first.as_str() {
        "at" => When::At(span(second)?),
        "by" => When::By(span(second)?),
        "until" => When::Until(span(second)?),
        "within" => {
            let (from, to) = second
                .split_once("..")
                .ok_or_else(|| format!("`{second}` must be FROM..TO"))?;
            When::Within(span(from)?, span(to)?)
        }
        _ => return Ok(None),
    };
    Ok(Some((when, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_line_is_reported_with_file_and_line() {
        let cases = [
            (
                "# t\nat 1m fire A\nat 5s fire B",
                "x:3: lines must be in chronological order",
            ),
            ("# t\nat 1m frobnicate", "x:2: "),
            ("# t\nby 1m fire A", "x:2: an action needs `at`"),
            ("# t\nat 5 fire A", "x:2: `5` is not a time"),
            (
                "# t\npolicy grading <<EOF\nfn",
                "x:2: the block has no end line `EOF`",
            ),
            (
                "# t\nat 0s fire A\nperson ada",
                "x:3: setup line after a timed line",
            ),
            ("person ada", "x:1: add a first comment"),
        ];
        for (text, wanted) in cases {
            let fault = Script::parse("x", text).map(|_| ()).unwrap_err();
            assert!(fault.starts_with(wanted), "{fault}");
        }
    }
}
