//! Reports of faults in policies, with everything needed to fix them:
//!
//! ```text
//! policies/grading.rhai:12:9: Property not found: foo
//!    12 |     if alert.foo {
//!       |              ^
//!    remedy: an alert has title, summary, labels …
//! ```

use std::fmt;

use serde::Serialize;

use crate::limits::REPORT_LINE_CHARS_MAX;

/// A fault in a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The path: the folder as it was given, and the file in it.
    pub file: String,
    /// The line, from 1; none if the whole file is at fault.
    pub line: Option<u32>,
    /// The column in characters, from 1.
    pub column: Option<u32>,
    pub message: String,
    pub source_line: Option<Box<str>>,
    pub remedy: String,
    /// What the policy was asked when it failed, if that was a question made by a check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Box<String>>,
    /// Set if a limit was exceeded.
    pub limit: Option<Box<LimitHit>>,
}

/// A limit that stopped a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LimitHit {
    /// For example `operations`.
    pub name: &'static str,
    pub max: u64,
    /// What `max` counts, for example `operations per call`.
    pub unit: &'static str,
}

impl Report {
    pub(crate) fn new(file: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: None,
            column: None,
            message: one_line(&message.into()),
            source_line: None,
            remedy: remedy.into(),
            asked: None,
            limit: None,
        }
    }

    /// The report without values of alerts, for readers who may not see them: quoted texts are left
    /// out, and what the policy itself threw.
    #[must_use]
    pub fn without_values(&self) -> Self {
        let threw = self
            .source_line
            .as_ref()
            .is_some_and(|it| it.contains("throw"));
        let message = match threw {
            true => "the policy threw an error; its incident's log says which".to_owned(),
            false => without_quotes(&self.message),
        };
        Self {
            message,
            asked: None,
            ..self.clone()
        }
    }

    /// Adds a position in `text`; line and column count from 1.
    pub(crate) fn at(mut self, text: &str, line: usize, column: usize) -> Self {
        self.line = u32::try_from(line).ok();
        self.column = u32::try_from(column.max(1)).ok();
        self.source_line = text.lines().nth(line.saturating_sub(1)).map(Box::from);
        self
    }

    pub(crate) fn hit(mut self, limit: LimitHit) -> Self {
        self.limit = Some(Box::new(limit));
        self
    }
}

impl std::error::Error for Report {}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        write!(f, ": {}", self.message)?;
        if let (Some(line), Some(source)) = (self.line, &self.source_line) {
            let column = self
                .column
                .and_then(|column| usize::try_from(column).ok())
                .unwrap_or(1);
            let (shown, caret) = window(source, column);
            write!(f, "\n{line:>5} | {shown}\n      | {caret}^")?;
        }
        if let Some(asked) = &self.asked {
            write!(f, "\n   when {asked}")?;
        }
        if !self.remedy.is_empty() {
            write!(f, "\n   remedy: {}", self.remedy)?;
        }
        Ok(())
    }
}

/// Several reports, displayed one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Reports(pub Vec<Report>);

impl std::error::Error for Reports {}

impl fmt::Display for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, report) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{report}")?;
        }
        Ok(())
    }
}

/// A text in which `"…"` stands for each quoted part.
fn without_quotes(text: &str) -> String {
    let mut kept = String::new();
    let (mut is_inside, mut is_escaped) = (false, false);
    for c in text.chars() {
        match (is_inside, c) {
            (true, _) if is_escaped => is_escaped = false,
            (true, '\\') => is_escaped = true,
            (true, '"') => is_inside = false,
            (true, _) => {}
            (false, '"') => {
                kept.push_str("\"…\"");
                is_inside = true;
            }
            (false, c) => kept.push(c),
        }
    }
    kept
}

/// The part of a line around a column, and the indentation of a caret under it. Tabs stay tabs, so
/// that the caret lines up at any tab width.
fn window(source: &str, column: usize) -> (String, String) {
    let half = REPORT_LINE_CHARS_MAX / 2;
    let start = if column > REPORT_LINE_CHARS_MAX {
        column - half
    } else {
        0
    };
    let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
    let shown: String = source
        .chars()
        .skip(start)
        .take(REPORT_LINE_CHARS_MAX)
        .collect();
    let before = column.saturating_sub(1).saturating_sub(start);
    let mut caret: String = shown.chars().take(before).map(blank).collect();
    let missing = before.saturating_sub(shown.chars().count());
    caret.extend(std::iter::repeat_n(' ', missing.min(1)));
    (shown.trim_end().to_owned(), caret)
}

fn one_line(text: &str) -> String {
    text.split('\n')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("; ")
}
