//! A scenario as it is written.

use std::path::Path;

use super::action::Action;
use super::fact::Fact;
use super::setup::Setup;
use super::words::{span, words};

/// A scenario that was read.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file, as failures name it.
    pub file: String,
    /// Its first comment: the requirement in one line.
    pub title: String,
    /// What there is before the story begins.
    pub setup: Setup,
    pub lines: Vec<Line>,
}

/// One line of the story.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// As it stands there.
    pub text: String,
    pub when: When,
    pub what: What,
}

/// When a line holds, in milliseconds since the story's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At this time.
    At(u64),
    /// At this time; what arrives may have come at any time before.
    By(u64),
    /// The whole time from the line before until this time.
    Until(u64),
    /// Somewhen between these times, both inside.
    Within(u64, u64),
}

/// What a line says.
#[derive(Clone, Debug)]
pub enum What {
    /// Something is done.
    Do(Action),
    /// Something is so.
    Expect(Fact),
}

impl When {
    /// When the line is over.
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

    /// Reads a scenario from its text; `file` is what failures call it.
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
                        return Err(fault(format!("no line `{}` ends the block", mark.trim())));
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
            true => Err(format!("{file}:1: say in a first comment what must hold")),
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
                let advice = "begin with at, by, until or within, or move it to the top";
                return Err(format!("the story has begun; {advice}"));
            }
            return self.setup.take(words, block);
        };
        let before = self.lines.last().map_or(0, |line| line.when.end());
        if when.end() < before {
            return Err("a story does not go back; put its lines in the order of time".to_owned());
        }
        let what = match (when, Action::read(rest, block)?) {
            (When::At(_), Some(action)) => What::Do(action),
            (_, Some(_)) => return Err("what is done is done `at` a time".to_owned()),
            (_, None) => What::Expect(Fact::read(rest)?),
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
    fn a_line_that_is_wrong_is_named_with_file_and_line() {
        let cases = [
            (
                "# t\nat 1m fire A\nat 5s fire B",
                "x:3: a story does not go back",
            ),
            ("# t\nat 1m frobnicate", "x:2: "),
            ("# t\nby 1m fire A", "x:2: what is done is done `at` a time"),
            ("# t\nat 5 fire A", "x:2: `5` is not a time"),
            ("# t\npolicy grading <<EOF\nfn", "x:2: no line `EOF`"),
            ("# t\nat 0s fire A\nperson ada", "x:3: the story has begun"),
            ("person ada", "x:1: say in a first comment"),
        ];
        for (text, wanted) in cases {
            let fault = Script::parse("x", text).map(|_| ()).unwrap_err();
            assert!(fault.starts_with(wanted), "{fault}");
        }
    }
}
