//! A compiled policy file, and reports that point at its functions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{AST, Position};

use crate::imports::Exports;
use crate::libs::{self, Modules};
use crate::report::Report;
use crate::switches::Inserted;

/// One compiled file.
pub(crate) struct Policy {
    /// Relative to the policies' folder, with `/`.
    pub(crate) file: String,
    /// The path shown in reports: the folder as it was given, and the file.
    pub(crate) shown: String,
    pub(crate) text: String,
    /// BLAKE3 in hex, first 16 digits, of the text and of what it imports.
    pub(crate) hash: String,
    pub(crate) ast: AST,
    /// Code in `ast` that is not in `text`.
    pub(crate) inserted: Inserted,
    /// The functions that also take the context.
    pub(crate) takes_context: Vec<&'static str>,
    /// The shared code that it can run.
    pub(crate) libs: Arc<Libs>,
}

/// The shared code of a set, by name.
#[derive(Default)]
pub(crate) struct Libs {
    pub(crate) scripts: BTreeMap<String, Policy>,
    /// What each of them imports, itself or through others.
    pub(crate) uses: BTreeMap<String, BTreeSet<String>>,
    pub(crate) exports: BTreeMap<String, Exports>,
    pub(crate) modules: Arc<Modules>,
}

impl Libs {
    /// What a script needs that imports these.
    pub(crate) fn needed<'a>(&'a self, names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
        let with_theirs = |name: &'a str| {
            let theirs = self.uses.get(name).into_iter().flatten();
            theirs.map(String::as_str).chain([name])
        };
        names.flat_map(with_theirs).collect()
    }
}

/// A position in a file of the set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) position: Position,
}

impl Policy {
    pub(crate) fn takes_context(&self, function: &str) -> bool {
        self.takes_context.contains(&function)
    }

    /// The script of a file that a call of this policy runs.
    pub(crate) fn script(&self, file: &str) -> &Self {
        let lib = libs::name(file).and_then(|name| self.libs.scripts.get(name));
        lib.unwrap_or(self)
    }

    /// Where a position in the code that runs is in the file.
    pub(crate) fn original(&self, (line, column): (usize, usize)) -> (usize, usize) {
        (line, self.inserted.original_column(line, column))
    }

    /// Points a report at a position, if there is one.
    pub(crate) fn at(&self, report: Report, position: Position) -> Report {
        let Some(line) = position.line() else {
            return report;
        };
        let (line, column) = self.original((line, position.position().unwrap_or(1)));
        report.at(&self.text, line, column)
    }

    /// Points a report at a place where a call was.
    pub(crate) fn at_place(&self, mut report: Report, place: &Place) -> Report {
        let script = self.script(&place.file);
        report.file.clone_from(&script.shown);
        script.place(report, "", place.position)
    }

    /// Points a report at a position of a call of `function`, or at its definition if there is
    /// none.
    pub(crate) fn place(&self, report: Report, function: &str, position: Position) -> Report {
        match position.line() {
            Some(_) => self.at(report, position),
            None => self.point_at_function(report, function),
        }
    }

    /// A report at the line that defines `function`.
    pub(crate) fn at_function(
        &self,
        function: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Report {
        self.point_at_function(Report::new(&self.shown, message, remedy), function)
    }

    pub(crate) fn point_at_function(&self, report: Report, function: &str) -> Report {
        match definition(&self.text, function) {
            Some((line, column)) => report.at(&self.text, line, column),
            None => report,
        }
    }
}

/// Line and column of the definition of `function`, counted from 1.
fn definition(text: &str, function: &str) -> Option<(usize, usize)> {
    text.lines().enumerate().find_map(|(at, line)| {
        let code = line.trim_start();
        let indent = line.len().saturating_sub(code.len());
        let code = code.strip_prefix("private").map_or(code, str::trim_start);
        let name = code
            .strip_prefix("fn ")?
            .trim_start()
            .strip_prefix(function)?;
        name.trim_start()
            .starts_with('(')
            .then_some((at.saturating_add(1), indent.saturating_add(1)))
    })
}
