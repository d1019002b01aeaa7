//! Faults of a configuration: what is wrong, where, and what to do about it.

use std::fmt;

use serde::Serialize;

/// Most faults that are reported.
pub const FAULTS_MAX: usize = 100;

/// How bad a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The daemon starts, but something will not work as expected.
    Warning,
    /// The daemon does not start.
    Error,
}

/// One thing that is wrong, printed as `tocsin.toml:LINE:COLUMN: message; remedy`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The file's name, as the operator gave it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// All faults of a configuration, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// Whether one of them prevents the daemon from starting.
    #[must_use]
    pub fn any_error(&self) -> bool {
        self.0.iter().any(|fault| fault.severity == Severity::Error)
    }

    /// Sorts them in the order of the file and keeps at most [`FAULTS_MAX`], preferring errors.
    pub(super) fn settle(mut self) -> Self {
        self.0
            .sort_by_key(|fault| std::cmp::Reverse(fault.severity));
        self.0.dedup();
        self.0.truncate(FAULTS_MAX);
        self.0.sort_by_key(|fault| (fault.line, fault.column));
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            severity,
            message,
            remedy,
        } = self;
        write!(f, "{file}:{line}:{column}: ")?;
        if *severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        write!(f, "{message}; {remedy}")
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, fault) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}
