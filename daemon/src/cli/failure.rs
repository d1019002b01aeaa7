//! How a subcommand fails: with a message that names the remedy, and an exit code for scripts.

use std::process::ExitCode;

use crate::config::ConfigError;

/// Why a subcommand failed.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// The message for standard error; empty when standard output already has everything.
    pub text: String,
}

/// The exit codes other than success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 1: it failed.
    Failed,
    /// 2: usage or configuration error.
    Usage,
    /// 0: the reader of the output closed it.
    ReaderGone,
}

impl Failure {
    /// A failure with exit code 1.
    pub fn failed(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            exit: Exit::Failed,
            text,
        }
    }

    /// A usage or configuration error, with exit code 2.
    pub fn usage(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            exit: Exit::Usage,
            text,
        }
    }

    /// Prints the message to standard error and returns the exit code.
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

/// Output that cannot be written; a closed pipe, as after `head`, is not a failure.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self {
                exit: Exit::ReaderGone,
                text: String::new(),
            };
        }
        Self::failed(format!("cannot write the output: {error}"))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(format!("the configuration is not valid\n{error}"))
    }
}
