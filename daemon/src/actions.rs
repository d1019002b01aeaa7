//! Structured actions on an incident: the bodies of `POST /api/v1/incidents/{number}/actions`,
//! and what plugins' forms send.

use serde::{Deserialize, Serialize};
use tocsin_core::Grade;
use tocsin_core::command::Command;
use tocsin_core::event::LogKind;
use tocsin_core::incident::Incident;

/// Something to do with an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "action", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Somebody has it: the escalation stops, and the first to acknowledge is the operator.
    Ack {},
    /// The service is back.
    Resolve {
        /// Why it is believed to be.
        #[serde(default)]
        reason: Option<String>,
    },
    /// The harm is stopped, the cause is not.
    Mitigate {
        /// How.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Grade it by hand: from then on policies only propose.
    Grade {
        /// The grade.
        #[schema(value_type = String, example = "critical")]
        grade: Grade,
        /// The security flag; absent leaves it.
        #[serde(default)]
        security: Option<bool>,
        /// Why.
        reason: String,
    },
    /// Write a line of the log.
    Log {
        /// What kind of line; `note` when absent.
        #[serde(default = "note")]
        #[schema(value_type = String, example = "decided")]
        kind: LogKind,
        /// The line.
        body: String,
    },
    /// Put a resolved incident away.
    Close {},
}

impl Action {
    /// Who may not know of security incidents may not take the flag off one either. Asked at
    /// every door, since the flag is what redacts.
    ///
    /// # Errors
    /// Why not.
    pub fn check_clearance(
        &self,
        incident: &Incident,
        has_clearance: impl FnOnce() -> bool,
    ) -> Result<(), &'static str> {
        let unflags = matches!(
            self,
            Self::Grade {
                security: Some(false),
                ..
            }
        );
        if unflags && incident.grading.security && !has_clearance() {
            return Err("the security flag is taken off by somebody with clearance only");
        }
        Ok(())
    }

    /// The command that it is; `via` is the channel that it came through.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn into_command(self, via: &str) -> Result<Command, String> {
        let or = |reason: Option<String>| {
            let reason = reason.filter(|it| !it.trim().is_empty());
            reason.unwrap_or_else(|| format!("said through {via}"))
        };
        Ok(match self {
            Self::Ack {} => Command::Acknowledge {
                via: via.to_owned(),
            },
            Self::Resolve { reason } => Command::Resolve { reason: or(reason) },
            Self::Mitigate { reason } => Command::Mitigate { reason: or(reason) },
            Self::Grade {
                grade,
                security,
                reason,
            } => Command::Grade {
                grade,
                security,
                reason,
                replan: None,
            },
            Self::Log { kind, body } => Command::Log { kind, body },
            Self::Close {} => Command::Close,
        })
    }
}

fn note() -> LogKind {
    LogKind::Note
}
