//! Output as aligned columns or as JSON. Control characters are removed from text before it
//! reaches a terminal, so that an alert cannot move the cursor and overwrite earlier lines.

use std::io::{IsTerminal as _, Write};

use clap::{Args, ValueEnum};
use serde::Serialize;
use tocsin_core::Labels;

use super::failure::Failure;

/// Longest table cell, in characters; JSON output has the full text.
const CELL_CHARS_MAX: usize = 80;

/// The output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Aligned columns, for people
    #[default]
    Text,
    /// JSON, for scripts
    Json,
}

/// `--output`.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(super) struct OutputArg {
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub(super) output: Format,
}

/// Where a subcommand's output goes.
pub struct Out<'a> {
    to: &'a mut dyn Write,
    is_colored: bool,
}

impl<'a> Out<'a> {
    /// Output without colors.
    pub fn plain(to: &'a mut dyn Write) -> Self {
        Self {
            to,
            is_colored: false,
        }
    }

    /// Standard output, with colors on a terminal unless `NO_COLOR` is set.
    pub(super) fn stdout(to: &'a mut std::io::Stdout) -> Self {
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_colored = to.is_terminal() && !wants_none;
        Self { to, is_colored }
    }

    /// Prints one line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn line(&mut self, text: impl AsRef<str>) -> Result<(), Failure> {
        Ok(writeln!(self.to, "{}", text.as_ref())?)
    }

    /// Prints a document as it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn raw(&mut self, text: &str) -> Result<(), Failure> {
        Ok(write!(self.to, "{text}")?)
    }

    /// Prints a value as JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| {
            Failure::failed(format!("cannot write the output as JSON: {error}"))
        })?;
        self.line(text)
    }

    /// Prints a header and rows in aligned columns, or `empty` when there are no rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn table(
        &mut self,
        header: &[&str],
        rows: &[Vec<String>],
        empty: &str,
    ) -> Result<(), Failure> {
        if rows.is_empty() {
            return self.line(empty);
        }
        let widths: Vec<usize> = (0..header.len())
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                let widest = cells.map(|cell| cell.chars().count()).max();
                widest.unwrap_or(0).max(header[column].len())
            })
            .collect();
        let heads: Vec<String> = header.iter().map(|head| (*head).to_owned()).collect();
        self.row(&heads, &widths, |_| Some("1"))?;
        for row in rows {
            self.row(row, &widths, color_of)?;
        }
        Ok(())
    }

    fn row(
        &mut self,
        cells: &[String],
        widths: &[usize],
        color: impl Fn(&str) -> Option<&'static str>,
    ) -> Result<(), Failure> {
        let mut line = String::new();
        for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let is_last = at + 1 == cells.len();
            let pad = match is_last {
                true => 0,
                false => width + 2 - cell.chars().count().min(*width),
            };
            match color(cell).filter(|_| self.is_colored) {
                Some(code) => line.push_str(&format!("\x1b[{code}m{cell}\x1b[0m")),
                None => line.push_str(cell),
            }
            line.extend(std::iter::repeat_n(' ', pad));
        }
        self.line(line.trim_end())
    }
}

/// The ANSI color of grades and states that should stand out.
fn color_of(cell: &str) -> Option<&'static str> {
    match cell {
        "critical" | "firing" => Some("31"),
        "major" | "open" | "pending" => Some("33"),
        "resolved" | "active" => Some("32"),
        _ => None,
    }
}

/// Text as a cell: without control characters, cut to [`CELL_CHARS_MAX`]; `-` when empty.
#[must_use]
pub(super) fn cell(text: impl AsRef<str>) -> String {
    let text = clean(text.as_ref());
    match text.char_indices().nth(CELL_CHARS_MAX) {
        _ if text.is_empty() => "-".to_owned(),
        None => text,
        Some((byte, _)) => format!("{}…", text.get(..byte).unwrap_or_default()),
    }
}

/// Optional text as a cell.
#[must_use]
pub(super) fn cell_of(text: Option<&String>) -> String {
    cell(text.map_or("", String::as_str))
}

/// Texts as one cell.
#[must_use]
pub(super) fn cell_list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let texts = texts.into_iter().map(|text| cell(text));
    cell(texts.collect::<Vec<_>>().join(", "))
}

/// Labels as one cell.
#[must_use]
pub(super) fn cell_labels(labels: &Labels) -> String {
    let labels = labels.iter();
    let labels = labels.map(|(name, value)| format!("{name}={}", cell(value)));
    cell(labels.collect::<Vec<_>>().join(" "))
}

/// Text without control characters.
#[must_use]
pub(super) fn clean(text: &str) -> String {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests;
