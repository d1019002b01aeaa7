//! What plugins ask of the incident engine. Who a command is by is looked up through the
//! person's contacts; nobody whom the configuration does not know commands an incident.

use std::sync::Arc;

use serde::Deserialize;
use tocsin_core::command::Command;
use tocsin_core::event::Ref;
use tocsin_core::{Actor, Draft, IncidentId, IncidentKey, PersonId, PluginId};
use tocsin_plugin_host::services::{CommandAction, CommandAnswer, PluginCommand};
use tocsin_plugin_host::wit;
use tocsin_plugin_host::wit::CommandError;
use tocsin_store::CommandKey;

use super::PluginAccess;
use crate::actions::chat::{self, Line};
use crate::actions::{Action, Caller, Log, NotDone, perform};
use crate::api::StatusFilter;
use crate::auth::Scope;
use crate::disclosure::wit::{core_grade, core_log_kind, core_ref};
use crate::disclosure::{Clearance, Disclosed};
use crate::runtime::state::tables::reference::{REFERENCES, reference_key};
use crate::runtime::state::tables::summary;
use crate::runtime::{Done, EngineError, IncidentState};

/// Incidents that one list brings.
const LIST_MAX: usize = 100;

pub(super) async fn carry_out(
    access: &PluginAccess,
    command: PluginCommand,
) -> Result<CommandAnswer, CommandError> {
    let call = Call {
        access,
        plugin: &command.plugin,
        key: &command.key,
    };
    match command.action {
        CommandAction::Get { id } => {
            let state = call.state(&id)?;
            Ok(CommandAnswer::Incident(Box::new(call.wire(&state))))
        }
        CommandAction::List { filter, after } => call.list(&filter, after.as_deref()),
        CommandAction::FindByRef { kind, id } => call.find(&kind, &id),
        CommandAction::Open { draft, by } => call.open(draft, &by).await,
        CommandAction::Run {
            incident_id,
            line,
            by,
        } => call.run(incident_id, &line, &by).await,
        CommandAction::Apply {
            incident_id,
            action,
            by,
        } => call.apply(&incident_id, &action, &by).await,
        CommandAction::Answer { .. } => Err(CommandError::NotFound),
        CommandAction::AddLog {
            incident_id,
            kind,
            body,
            by,
            ..
        } => {
            let kind = core_log_kind(kind);
            let action = Log { kind, body }.into();
            call.perform(&incident_id, &by, action).await?;
            Ok(CommandAnswer::Done)
        }
        CommandAction::Link {
            incident_id,
            kind,
            ref_id,
            url,
        } => {
            let plugin = PluginId::from(call.plugin);
            let link = Ref {
                plugin: plugin.clone(),
                kind,
                id: ref_id,
                url,
            };
            let by = Actor::Plugin(plugin);
            let id = call.state(&incident_id)?.incident.id.clone();
            let (link, key) = (Command::Link(link), Some(call.command_key()));
            let linked = access.intake.command(id, by, link, key);
            linked.await.map_err(refused)?;
            Ok(CommandAnswer::Done)
        }
        CommandAction::RecordChange { .. } | CommandAction::Signal { .. } => {
            Err(CommandError::Unavailable(
                "this release takes no changes or signals from \
                plugins; send them to /v2/change/enqueue or /ingest"
                    .to_owned(),
            ))
        }
    }
}

/// Which incidents a plugin lists.
#[derive(Deserialize)]
struct Filter {
    #[serde(default)]
    status: Option<StatusFilter>,
}

/// One command of one plugin.
struct Call<'a> {
    access: &'a PluginAccess,
    plugin: &'a str,
    key: &'a str,
}

impl Call<'_> {
    fn state(&self, id: &str) -> Result<Arc<IncidentState>, CommandError> {
        let found = match id.parse::<u64>() {
            Ok(number) => self.access.view.incident_of_number(number),
            Err(_) => self.access.view.incident(&IncidentId(id.to_owned())),
        };
        found.map_err(refused)?.ok_or(CommandError::NotFound)
    }

    fn wire(&self, state: &IncidentState) -> wit::Incident {
        let payloads = &self.access.payloads;
        payloads.incident(&state.incident, &self.plugin.into(), self.clearance())
    }

    fn clearance(&self) -> Clearance {
        let subscribers = self.access.subscribers.load();
        let plugin = subscribers.of(self.plugin);
        plugin.is_some_and(|it| it.clearance).into()
    }

    fn list(&self, filter: &str, after: Option<&str>) -> Result<CommandAnswer, CommandError> {
        let filter: Filter = serde_json::from_str(filter).map_err(|error| {
            CommandError::Invalid(format!("the filter: {error}; give {{}} for all"))
        })?;
        let after = after.map(|id| self.state(id)).transpose()?;
        let after = after.map(|state| state.incident.number);
        let page = summary::after(self.access.store.as_ref(), after, LIST_MAX);
        let mut incidents = Vec::new();
        for summary in page.map_err(refused)? {
            if filter.status.is_none_or(|it| it.takes(summary.status)) {
                incidents.push(self.wire(self.state(summary.id.as_str())?.as_ref()));
            }
        }
        Ok(CommandAnswer::Incidents(incidents))
    }

    fn find(&self, kind: &str, id: &str) -> Result<CommandAnswer, CommandError> {
        let key = reference_key(self.plugin, kind, id);
        let row = REFERENCES.get(self.access.store.as_ref(), &key);
        let Some(row) = row.map_err(refused)? else {
            return Ok(CommandAnswer::Found(None));
        };
        let state = self.state(row.value.as_str())?;
        Ok(CommandAnswer::Found(Some(Box::new(self.wire(&state)))))
    }

    async fn open(
        &self,
        draft: wit::Draft,
        by: &wit::Actor,
    ) -> Result<CommandAnswer, CommandError> {
        let by = self.caller(by)?.by;
        let refs = draft.refs;
        let draft = Draft {
            title: draft.title,
            summary: draft.summary,
            service: draft
                .services
                .into_iter()
                .next()
                .unwrap_or_else(|| "unknown".to_owned()),
            key: draft.dedup_key.map(IncidentKey),
            grade: draft.grade.map(core_grade),
            ..Draft::default()
        };
        let key = Some(self.command_key());
        let done = self
            .access
            .intake
            .open(draft, by, key)
            .await
            .map_err(refused)?;
        let id = incident_of(&done)?;
        for (at, link) in refs.into_iter().enumerate() {
            let plugin = PluginId::from(self.plugin);
            let link = core_ref(&plugin, link);
            let by = Actor::Plugin(plugin);
            let key = CommandKey(format!("{}/ref-{at}", self.command_key().0));
            let linked = self
                .access
                .intake
                .command(id.clone(), by, Command::Link(link), Some(key));
            linked.await.map_err(refused)?;
        }
        let state = self.state(id.as_str())?;
        Ok(CommandAnswer::Incident(Box::new(self.wire(&state))))
    }

    async fn run(
        &self,
        incident: Option<String>,
        line: &str,
        by: &wit::Actor,
    ) -> Result<CommandAnswer, CommandError> {
        let parsed = chat::parse(line, self.plugin).map_err(CommandError::Invalid)?;
        if parsed == Line::Help {
            return Ok(CommandAnswer::Text(chat::help()));
        }
        let id = incident.ok_or_else(|| {
            CommandError::Invalid("type this in an incident's war room".to_owned())
        })?;
        let Line::Action(action) = parsed else {
            let state = self.state(&id)?;
            let clearance = self.caller(by).map_or(Clearance::Basic, |it| it.clearance);
            return Ok(CommandAnswer::Text(status_line(&state, clearance)));
        };
        Ok(CommandAnswer::Text(self.perform(&id, by, action).await?))
    }

    /// The HTTP API's actions as JSON, such as `{"action":"ack"}`.
    async fn apply(
        &self,
        id: &str,
        action: &str,
        by: &wit::Actor,
    ) -> Result<CommandAnswer, CommandError> {
        let action: Action = serde_json::from_str(action)
            .map_err(|error| CommandError::Invalid(format!("the action: {error}")))?;
        let reply = self.perform(id, by, action).await?;
        Ok(CommandAnswer::Text(
            serde_json::json!({ "reply": reply }).to_string(),
        ))
    }

    /// Carries an action out, and gives what to tell whoever asked.
    async fn perform(
        &self,
        id: &str,
        by: &wit::Actor,
        action: Action,
    ) -> Result<String, CommandError> {
        let caller = self.caller(by)?;
        let incident = &self.state(id)?.incident;
        let (intake, key) = (&self.access.intake, Some(self.command_key()));
        match perform(intake, caller, incident, action, self.plugin, key).await {
            Ok(outcome) => Ok(outcome.reply),
            Err(NotDone::Denied(why)) => Err(CommandError::Denied(why.to_string())),
            Err(NotDone::Engine(error)) => Err(refused(error)),
        }
    }

    fn command_key(&self) -> CommandKey {
        CommandKey(format!("plugin/{}/{}", self.plugin, self.key))
    }

    /// Who it is by: a person whom the channel knows, or the plugin itself. To know of security
    /// incidents, both of them need the clearance.
    fn caller(&self, by: &wit::Actor) -> Result<Caller, CommandError> {
        if by.kind == "plugin" {
            return Ok(Caller {
                by: Actor::Plugin(self.plugin.into()),
                scope: Scope::Respond,
                clearance: self.clearance(),
            });
        }
        // Else a plugin could act as anybody whose address it knows, e.g. by their e-mail.
        let subscribers = self.access.subscribers.load();
        let own = subscribers.of(self.plugin);
        if !own.is_some_and(|it| it.contacts.contains(&by.kind)) {
            return Err(CommandError::Denied(format!(
                "plugin {} does not speak for {} contacts; it names its own kinds in `contacts` \
                 of plugin.toml",
                self.plugin, by.kind
            )));
        }
        let Some(person) = person_by_contact(self.access, &by.kind, &by.id) else {
            return Err(CommandError::Denied(format!(
                "nobody in the configuration has the {} contact {}; add it under [people.NAME] \
                 contacts",
                by.kind, by.id
            )));
        };
        let caller = Caller::of_person(person, &self.access.payloads.roster.people);
        let mut caller = caller.map_err(|denied| CommandError::Denied(denied.to_string()))?;
        caller.clearance = caller.clearance.and(self.clearance());
        Ok(caller)
    }
}

/// The person with a contact.
pub(super) fn person_by_contact(access: &PluginAccess, kind: &str, id: &str) -> Option<PersonId> {
    let people = access.payloads.roster.people.values();
    let has = |it: &&tocsin_core::Person| {
        it.contacts
            .iter()
            .any(|contact| contact.kind == kind && contact.address == id)
    };
    people.into_iter().find(has).map(|it| it.id.clone())
}

fn status_line(state: &IncidentState, clearance: Clearance) -> String {
    let line = Disclosed::of(&state.incident, clearance).line;
    let operator = line.operator.as_ref().map_or("nobody", |it| it.as_str());
    format!(
        "incident {}: {} · {} · {} · operator: {operator} · {} of {} alerts fire",
        line.number,
        line.title,
        line.grade,
        line.status,
        state.tally.counts.firing,
        state.tally.counts.total,
    )
}

fn incident_of(done: &Done) -> Result<IncidentId, CommandError> {
    if let Some(incident) = &done.incident {
        return Ok(incident.id.clone());
    }
    let repeated = done.repeated.as_ref().and_then(|it| it.get("incident"));
    let id = repeated.and_then(|it| it.as_str());
    id.map(IncidentId::from).ok_or(CommandError::NotFound)
}

fn refused(error: EngineError) -> CommandError {
    match error {
        EngineError::NoIncident(_) => CommandError::NotFound,
        EngineError::Refused(refusal) => CommandError::Invalid(refusal.to_string()),
        error => CommandError::Unavailable(error.to_string()),
    }
}
