//! `commands`: what a plugin asks of the incident engine, within its verbs, once per key.

use super::context::Context;
use super::services::{CommandAction, CommandAnswer, PluginCommand};
use crate::rights::manifest::Verb;
use crate::wit::commands::{Actor, CommandError, Draft, Host, Incident, LogKind};

/// Commands per call.
const COMMANDS_PER_CALL: u32 = 100;

type Answer<T> = wasmtime::Result<Result<T, CommandError>>;

impl Context {
    async fn command(&mut self, action: CommandAction) -> Result<CommandAnswer, CommandError> {
        let _pause = self.pause();
        if self.facts.powerless {
            return Err(CommandError::Denied(
                "there are no commands during this call".into(),
            ));
        }
        self.allowed(&action)?;
        self.commands += 1;
        if self.commands > COMMANDS_PER_CALL {
            let message = format!("at most {COMMANDS_PER_CALL} commands per call; enqueue a job");
            return Err(CommandError::Unavailable(message));
        }
        let verb = action.verb();
        let key = self.act_key(verb.as_str(), &format!("{action:?}"));
        let command = PluginCommand {
            plugin: self.plugin().to_owned(),
            delivery: self.facts.delivery.clone(),
            key,
            action,
        };
        self.shared.services.command(command).await
    }

    fn allowed(&mut self, action: &CommandAction) -> Result<(), CommandError> {
        let rights = &self.shared.rights;
        let verb = action.verb();
        // `run` covers every line, `ack` only its own.
        let denied = match rights.verb(verb) {
            Ok(()) => return Ok(()),
            Err(denied) => denied,
        };
        if verb == Verb::Ack && rights.verb(Verb::Run).is_ok() {
            return Ok(());
        }
        Err(CommandError::Denied(self.deny(denied)))
    }

    async fn incident(&mut self, action: CommandAction) -> Answer<Incident> {
        Ok(match self.command(action).await {
            Ok(CommandAnswer::Incident(incident)) => Ok(*incident),
            other => Err(unexpected(other)),
        })
    }

    async fn text(&mut self, action: CommandAction) -> Answer<String> {
        Ok(match self.command(action).await {
            Ok(CommandAnswer::Text(text)) => Ok(text),
            other => Err(unexpected(other)),
        })
    }

    async fn done(&mut self, action: CommandAction) -> Answer<()> {
        Ok(match self.command(action).await {
            Ok(CommandAnswer::Done) => Ok(()),
            other => Err(unexpected(other)),
        })
    }
}

/// An error as it is; an answer of the wrong kind is the daemon's fault, not the guest's.
fn unexpected(answer: Result<CommandAnswer, CommandError>) -> CommandError {
    match answer {
        Err(error) => error,
        Ok(answer) => {
            tracing::error!(?answer, "the daemon answered a command in the wrong kind");
            CommandError::Other("the daemon answered in the wrong kind".into())
        }
    }
}

impl Host for Context {
    async fn get(&mut self, id: String) -> Answer<Incident> {
        self.incident(CommandAction::Get { id }).await
    }

    async fn list(&mut self, filter: String, after: Option<String>) -> Answer<Vec<Incident>> {
        Ok(
            match self.command(CommandAction::List { filter, after }).await {
                Ok(CommandAnswer::Incidents(incidents)) => Ok(incidents),
                other => Err(unexpected(other)),
            },
        )
    }

    async fn find_by_ref(&mut self, kind: String, id: String) -> Answer<Option<Incident>> {
        Ok(
            match self.command(CommandAction::FindByRef { kind, id }).await {
                Ok(CommandAnswer::Found(incident)) => Ok(incident.map(|incident| *incident)),
                other => Err(unexpected(other)),
            },
        )
    }

    async fn open(&mut self, draft: Draft, by: Actor) -> Answer<Incident> {
        self.incident(CommandAction::Open { draft, by }).await
    }

    async fn run(
        &mut self,
        incident_id: Option<String>,
        line: String,
        by: Actor,
    ) -> Answer<String> {
        self.text(CommandAction::Run {
            incident_id,
            line,
            by,
        })
        .await
    }

    async fn apply(&mut self, incident_id: String, action: String, by: Actor) -> Answer<String> {
        self.text(CommandAction::Apply {
            incident_id,
            action,
            by,
        })
        .await
    }

    async fn answer(&mut self, prompt_id: String, choice_id: String, by: Actor) -> Answer<String> {
        self.text(CommandAction::Answer {
            prompt_id,
            choice_id,
            by,
        })
        .await
    }

    async fn add_log(
        &mut self,
        incident_id: String,
        kind: LogKind,
        body: String,
        at: Option<u64>,
        by: Actor,
    ) -> Answer<()> {
        self.done(CommandAction::AddLog {
            incident_id,
            kind,
            body,
            at,
            by,
        })
        .await
    }

    async fn link(
        &mut self,
        incident_id: String,
        kind: String,
        ref_id: String,
        url: Option<String>,
    ) -> Answer<()> {
        self.done(CommandAction::Link {
            incident_id,
            kind,
            ref_id,
            url,
        })
        .await
    }

    async fn record_change(&mut self, change: String) -> Answer<()> {
        self.done(CommandAction::RecordChange { change }).await
    }

    async fn signal(&mut self, signal: String) -> Answer<()> {
        self.done(CommandAction::Signal { signal }).await
    }
}
