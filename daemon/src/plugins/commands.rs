//! What plugins ask of the incident engine. Who a command is by is looked up through the
//! person's contacts; nobody whom the configuration does not know commands an incident.

use std::sync::Arc;

use tocsin_core::command::Command;
use tocsin_core::event::{LogKind, Ref};
use tocsin_core::{Actor, Draft, Grade, IncidentId, IncidentKey};
use tocsin_plugin_host::capability::commands::{Caller, CommandReply, CommandService};
use tocsin_plugin_host::wit;
use tocsin_plugin_host::wit::CommandError;
use tocsin_store::{CommandKey, Table};

use super::chat::{HELP, Line, parse};
use super::people::person_by_contact;
use super::{DaemonServices, PluginAccess};
use crate::disclosure::{REDACTED_TITLE, wire_incident};
use crate::runtime::{Done, EngineError, IncidentState, Summary, decode_row, reference_key};

/// Incidents that one list brings.
const LIST_MAX: usize = 100;

impl CommandService for DaemonServices {
    fn get_incident(&self, caller: Caller, id: String) -> CommandReply<'_, wit::Incident> {
        Box::pin(async move {
            let call = self.call(&caller)?;
            Ok(call.wire(&*call.state(&id)?))
        })
    }

    fn list_incidents(
        &self,
        caller: Caller,
        filter: String,
        after: Option<String>,
    ) -> CommandReply<'_, Vec<wit::Incident>> {
        Box::pin(async move { self.call(&caller)?.list(&filter, after.as_deref()) })
    }

    fn find_incident(
        &self,
        caller: Caller,
        kind: String,
        id: String,
    ) -> CommandReply<'_, Option<wit::Incident>> {
        Box::pin(async move { self.call(&caller)?.find(&kind, &id) })
    }

    fn open_incident(
        &self,
        caller: Caller,
        draft: wit::Draft,
        by: wit::Actor,
    ) -> CommandReply<'_, wit::Incident> {
        Box::pin(async move { self.call(&caller)?.open(draft, &by).await })
    }

    fn run_line(
        &self,
        caller: Caller,
        incident_id: Option<String>,
        line: String,
        by: wit::Actor,
    ) -> CommandReply<'_, String> {
        Box::pin(async move { self.call(&caller)?.run(incident_id, &line, &by).await })
    }

    fn apply_action(
        &self,
        caller: Caller,
        incident_id: String,
        action: String,
        by: wit::Actor,
    ) -> CommandReply<'_, String> {
        Box::pin(async move { self.call(&caller)?.apply(&incident_id, &action, &by).await })
    }

    fn answer_prompt(
        &self,
        _: Caller,
        _: String,
        _: String,
        _: wit::Actor,
    ) -> CommandReply<'_, String> {
        Box::pin(async move { Err(CommandError::NotFound) })
    }

    fn add_log(
        &self,
        caller: Caller,
        incident_id: String,
        kind: wit::LogKind,
        body: String,
        _at: Option<u64>,
        by: wit::Actor,
    ) -> CommandReply<'_, ()> {
        Box::pin(async move {
            let kind = core_log_kind(kind);
            let command = Command::Log { kind, body };
            let call = self.call(&caller)?;
            call.command(&incident_id, &by, command).await.map(drop)
        })
    }

    fn link_incident(
        &self,
        caller: Caller,
        incident_id: String,
        kind: String,
        ref_id: String,
        url: Option<String>,
    ) -> CommandReply<'_, ()> {
        Box::pin(async move {
            let call = self.call(&caller)?;
            let link = Ref {
                plugin: call.plugin.into(),
                kind,
                id: ref_id,
                url,
            };
            let by = Actor::Plugin(call.plugin.into());
            let id = call.state(&incident_id)?.incident.id.clone();
            call.send(id, by, Command::Link(link)).await.map(drop)
        })
    }

    fn record_change(&self, _: Caller, _: String) -> CommandReply<'_, ()> {
        Box::pin(async move { Err(no_changes_or_signals()) })
    }

    fn send_signal(&self, _: Caller, _: String) -> CommandReply<'_, ()> {
        Box::pin(async move { Err(no_changes_or_signals()) })
    }
}

impl DaemonServices {
    fn call<'a>(&'a self, caller: &'a Caller) -> Result<Call<'a>, CommandError> {
        Ok(Call {
            access: self.access()?,
            plugin: &caller.plugin,
            key: &caller.key,
        })
    }
}

fn no_changes_or_signals() -> CommandError {
    CommandError::Unavailable(
        "this release takes no changes or signals from plugins; send them to /v2/change/enqueue \
         or /ingest"
            .to_owned(),
    )
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
        wire_incident(&self.access.payloads, &state.incident, self.clearance())
    }

    fn clearance(&self) -> bool {
        let subscribers = self.access.subscribers.load();
        subscribers.of(self.plugin).is_some_and(|it| it.clearance)
    }

    /// Whether both the plugin and who it speaks for may know of security incidents.
    fn is_cleared(&self, by: &wit::Actor) -> bool {
        self.clearance()
            && match self.actor(by) {
                Ok(Actor::Person(id)) => self.access.payloads.has_clearance(&id),
                Ok(_) => true,
                Err(_) => false,
            }
    }

    fn list(&self, filter: &str, after: Option<&str>) -> Result<Vec<wit::Incident>, CommandError> {
        let filter: serde_json::Value = serde_json::from_str(filter).map_err(|error| {
            CommandError::Invalid(format!(
                "the filter is not JSON: {error}; give {{}} for all"
            ))
        })?;
        let status = filter.get("status").and_then(|it| it.as_str());
        let after = after.map(|id| self.state(id)).transpose()?;
        let after = after.map(|state| Summary::row_key(state.incident.number));
        let rows = self
            .access
            .store
            .rows(Table::Summary, "", after.as_deref(), LIST_MAX)
            .map_err(|error| CommandError::Unavailable(error.to_string()))?;
        let mut incidents = Vec::new();
        for (_, row) in rows {
            let summary = Summary::from_row(&row.value).map_err(refused)?;
            if status.is_none_or(|it| it == summary.status.as_str()) {
                incidents.push(self.wire(self.state(summary.id.as_str())?.as_ref()));
            }
        }
        Ok(incidents)
    }

    fn find(&self, kind: &str, id: &str) -> Result<Option<wit::Incident>, CommandError> {
        let key = reference_key(self.plugin, kind, id);
        let row = self.access.store.row(Table::Reference, &key);
        let row = row.map_err(|error| CommandError::Unavailable(error.to_string()))?;
        let Some(row) = row else {
            return Ok(None);
        };
        let id: IncidentId = decode_row("a reference", &row.value).map_err(refused)?;
        let state = self.state(id.as_str())?;
        Ok(Some(self.wire(&state)))
    }

    async fn open(
        &self,
        draft: wit::Draft,
        by: &wit::Actor,
    ) -> Result<wit::Incident, CommandError> {
        let by = self.actor(by)?;
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
            let wit::ExternalRef {
                kind,
                id: ref_id,
                url,
                ..
            } = link;
            let link = Ref {
                plugin: self.plugin.into(),
                kind,
                id: ref_id,
                url,
            };
            let by = Actor::Plugin(self.plugin.into());
            let key = CommandKey(format!("{}/ref-{at}", self.command_key().0));
            let linked = self
                .access
                .intake
                .command(id.clone(), by, Command::Link(link), Some(key));
            linked.await.map_err(refused)?;
        }
        let state = self.state(id.as_str())?;
        Ok(self.wire(&state))
    }

    async fn run(
        &self,
        incident: Option<String>,
        line: &str,
        by: &wit::Actor,
    ) -> Result<String, CommandError> {
        let parsed = parse(line, self.plugin).map_err(CommandError::Invalid)?;
        if parsed == Line::Help {
            return Ok(HELP.to_owned());
        }
        let id = incident.ok_or_else(|| {
            CommandError::Invalid("type this in an incident's war room".to_owned())
        })?;
        let Line::Command(command) = parsed else {
            let state = self.state(&id)?;
            let clearance = !state.incident.grading.security || self.is_cleared(by);
            return Ok(status_line(&state, clearance));
        };
        self.command(&id, by, command).await
    }

    /// The HTTP API's actions as JSON: `{"action":"ack"}`, `{"action":"run","line":"…"}`.
    async fn apply(&self, id: &str, action: &str, by: &wit::Actor) -> Result<String, CommandError> {
        let action: crate::actions::Action = serde_json::from_str(action)
            .map_err(|error| CommandError::Invalid(format!("the action: {error}")))?;
        let incident = &self.state(id)?.incident;
        action
            .check_clearance(incident, || self.is_cleared(by))
            .map_err(|why| CommandError::Denied(why.to_owned()))?;
        let command = action
            .into_command(self.plugin)
            .map_err(CommandError::Invalid)?;
        let reply = self.command(id, by, command).await?;
        Ok(serde_json::json!({ "reply": reply }).to_string())
    }

    async fn command(
        &self,
        id: &str,
        by: &wit::Actor,
        command: Command,
    ) -> Result<String, CommandError> {
        let by = self.actor(by)?;
        let id = self.state(id)?.incident.id.clone();
        let done = self.send(id, by, command).await?;
        let repeated = done.repeated.as_ref().and_then(|it| it.get("reply"));
        let repeated = repeated.and_then(|it| it.as_str()).map(ToOwned::to_owned);
        Ok(repeated.unwrap_or(done.reply))
    }

    async fn send(
        &self,
        id: IncidentId,
        by: Actor,
        command: Command,
    ) -> Result<Done, CommandError> {
        let key = Some(self.command_key());
        self.access
            .intake
            .command(id, by, command, key)
            .await
            .map_err(refused)
    }

    fn command_key(&self) -> CommandKey {
        CommandKey(format!("plugin/{}/{}", self.plugin, self.key))
    }

    /// Who it is by: a person whom the channel knows, or the plugin itself.
    fn actor(&self, by: &wit::Actor) -> Result<Actor, CommandError> {
        if by.kind == "plugin" {
            return Ok(Actor::Plugin(self.plugin.into()));
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
        match person_by_contact(self.access, &by.kind, &by.id) {
            Some(person) => Ok(Actor::Person(person)),
            None => Err(CommandError::Denied(format!(
                "nobody in the configuration has the {} contact {}; add it under [people.NAME] \
                 contacts",
                by.kind, by.id
            ))),
        }
    }
}

fn status_line(state: &IncidentState, clearance: bool) -> String {
    let incident = &state.incident;
    let title = match clearance {
        true => incident.about.title.as_str(),
        false => REDACTED_TITLE,
    };
    let operator = incident
        .roles
        .operator
        .as_ref()
        .map_or("nobody", |it| it.as_str());
    format!(
        "incident {}: {title} · {} · {} · operator: {operator} · {} of {} alerts fire",
        incident.number,
        incident.grading.grade,
        incident.lifecycle.status,
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

fn core_grade(grade: wit::Grade) -> Grade {
    match grade {
        wit::Grade::Minor => Grade::Minor,
        wit::Grade::Major => Grade::Major,
        wit::Grade::Critical => Grade::Critical,
    }
}

fn core_log_kind(kind: wit::LogKind) -> LogKind {
    match kind {
        wit::LogKind::Seen => LogKind::Seen,
        wit::LogKind::Decided => LogKind::Decided,
        wit::LogKind::Done => LogKind::Done,
        wit::LogKind::Note => LogKind::Note,
    }
}
