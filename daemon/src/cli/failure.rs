//! How a subcommand fails: with a sentence that names the remedy, and the exit code that scripts
//! go by.

use std::process::ExitCode;

use crate::config::ConfigError;

/// Why a subcommand did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What to say on standard error; empty when all was said on standard output.
    pub text: String,
}

/// The exit codes besides 0, done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 1: it was tried and failed.
    Failed,
    /// 2: wrong usage or a wrong configuration.
    Usage,
    /// 0 after all: who read the output went away.
    ReaderGone,
}

impl Failure {
    /// It was tried and failed.
    pub fn failed(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            exit: Exit::Failed,
            text,
        }
    }

    /// Wrong usage, or a wrong configuration.
    pub fn usage(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            exit: Exit::Usage,
            text,
        }
    }

    /// Says it on standard error, and gives the code to exit with.
    pub(super) fn report(&self) -> ExitCode {
        if !self.text.is_empty() {
            eprintln!("error: {}", self.text);
        }
        ExitCode::from(match self.exit {
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::ReaderGone => 0,
        })
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(format!("{error:#}"))
    }
}

/// Output that cannot be written; a reader that went away, such as `head`, is not a failure.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self {
                exit: Exit::ReaderGone,
                text: String::new(),
            };
        }
        Self::failed(format!("the output cannot be written: {error}"))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(format!("the configuration is wrong\n{error}"))
    }
}
