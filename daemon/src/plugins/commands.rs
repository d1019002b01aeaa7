//! Incident commands from plugins. The person behind a command is looked up by contact; a person
//! who is not in the configuration cannot send commands.

use std::sync::Arc;

use serde::Deserialize;
use tocsin_core::command::Command;
use tocsin_core::event::{Ref, Written};
use tocsin_core::trial::TestOutcome;
use tocsin_core::{Actor, IncidentId, IncidentKey, MessageId, PluginId, TestId, Timestamp};
use tocsin_plugin_host::capability::commands::{CommandCaller, CommandReply, CommandService};
use tocsin_plugin_host::capability::people::PersonKey;
use tocsin_plugin_host::wit;
use tocsin_plugin_host::wit::CommandError;
use tocsin_store::CommandKey;

use super::people::find_person;
use super::{DaemonServices, PluginAccess};
use crate::actions::{
    self, Action, Asked, Caller, Log, NewIncident, NotDone, Paged, acknowledge, answer, perform,
};
use crate::api::StatusFilter;
use crate::auth::Scope;
use crate::disclosure::Clearance;
use crate::disclosure::wit::{core_grade, core_log_kind, core_ref};
use crate::runtime::state::tables::reference::{REFERENCES, reference_key};
use crate::runtime::state::tables::summary;
use crate::runtime::{EngineError, IncidentState, MessageOutcome, bundle};

/// Most incidents in a list.
const LIST_MAX: usize = 100;

impl CommandService for DaemonServices {
    fn get_incident(&self, caller: CommandCaller, id: String) -> CommandReply<'_, wit::Incident> {
        Box::pin(async move {
            let call = self.call(&caller)?;
            Ok(call.wire(&*call.state(&id)?))
        })
    }

    fn list_incidents(
        &self,
        caller: CommandCaller,
        filter: String,
        after: Option<String>,
    ) -> CommandReply<'_, Vec<wit::Incident>> {
        Box::pin(async move { self.call(&caller)?.list(&filter, after.as_deref()) })
    }

    fn find_incident(
        &self,
        caller: CommandCaller,
        kind: String,
        id: String,
    ) -> CommandReply<'_, Option<wit::Incident>> {
        Box::pin(async move { self.call(&caller)?.find(&kind, &id) })
    }

    fn open_incident(
        &self,
        caller: CommandCaller,
        draft: wit::Draft,
        by: wit::Actor,
    ) -> CommandReply<'_, wit::Incident> {
        Box::pin(async move { self.call(&caller)?.open(draft, &by).await })
    }

    fn run_line(
        &self,
        caller: CommandCaller,
        incident_id: Option<String>,
        line: String,
        by: wit::Actor,
    ) -> CommandReply<'_, String> {
        Box::pin(async move { self.call(&caller)?.run(incident_id, &line, &by).await })
    }

    fn apply_action(
        &self,
        caller: CommandCaller,
        incident_id: String,
        action: String,
        by: wit::Actor,
    ) -> CommandReply<'_, String> {
        Box::pin(async move { self.call(&caller)?.apply(&incident_id, &action, &by).await })
    }

    fn acknowledge_page(
        &self,
        caller: CommandCaller,
        page_id: String,
        item_id: Option<String>,
        by: wit::Actor,
    ) -> CommandReply<'_, String> {
        Box::pin(async move {
            let paged = Paged::parse(item_id.as_ref().unwrap_or(&page_id));
            let paged = paged.ok_or(CommandError::NotFound)?;
            self.call(&caller)?.acknowledge(paged, &by).await
        })
    }

    fn report_receipt(
        &self,
        caller: CommandCaller,
        page_id: String,
        // Whoever pressed it has seen it; what the press does is a command of its own.
        _: wit::PageReceipt,
        _: Option<wit::Actor>,
    ) -> CommandReply<'_, ()> {
        Box::pin(async move { self.call(&caller)?.receipt(&page_id).await })
    }

    fn answer_prompt(
        &self,
        caller: CommandCaller,
        prompt_id: String,
        choice: String,
        by: wit::Actor,
    ) -> CommandReply<'_, String> {
        Box::pin(async move {
            let asked = Asked::parse(&prompt_id).ok_or(CommandError::NotFound)?;
            self.call(&caller)?.answer(asked, choice, &by).await
        })
    }

    fn add_log(
        &self,
        caller: CommandCaller,
        incident_id: String,
        entry: wit::LogDraft,
        by: wit::Actor,
    ) -> CommandReply<'_, ()> {
        Box::pin(async move {
            let call = self.call(&caller)?;
            let written = call.written(&entry);
            let action = Log {
                kind: core_log_kind(entry.kind),
                body: entry.body,
                written,
            };
            let action = action.into();
            call.perform(&incident_id, &by, action).await.map(drop)
        })
    }

    fn link_incident(
        &self,
        caller: CommandCaller,
        incident_id: String,
        kind: String,
        ref_id: String,
        url: Option<String>,
    ) -> CommandReply<'_, ()> {
        Box::pin(async move {
            let call = self.call(&caller)?;
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
            let linked = call.access.intake.command(id, by, link, key);
            linked.await.map(drop).map_err(refused)
        })
    }

    fn record_change(&self, caller: CommandCaller, change: String) -> CommandReply<'_, ()> {
        Box::pin(async move { self.call(&caller)?.record_change(&change).await })
    }

    fn send_signal(&self, caller: CommandCaller, signal: String) -> CommandReply<'_, ()> {
        Box::pin(async move { self.call(&caller)?.send_signal(&signal).await })
    }
}

impl DaemonServices {
    fn call<'a>(&'a self, caller: &'a CommandCaller) -> Result<Call<'a>, CommandError> {
        Ok(Call {
            access: self.access()?,
            plugin: &caller.plugin,
            key: &caller.key,
        })
    }
}

/// A plugin's filter for lists.
#[derive(Deserialize)]
struct Filter {
    #[serde(default)]
    status: Option<StatusFilter>,
}

/// What a draft has no field for yet.
#[derive(Default, Deserialize)]
struct DraftMore {
    #[serde(default)]
    team: Option<String>,
    #[serde(default)]
    security: bool,
}

/// A plugin's command.
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

    fn list(&self, filter: &str, after: Option<&str>) -> Result<Vec<wit::Incident>, CommandError> {
        let filter: Filter = serde_json::from_str(filter).map_err(|error| {
            CommandError::Invalid(format!("the filter: {error}; pass {{}} for all"))
        })?;
        let after = after.map(|id| self.state(id)).transpose()?;
        let after = after.map(|state| state.incident.number);
        let page = summary::after(self.access.store.as_ref(), after, LIST_MAX);
        let mut incidents = Vec::new();
        for summary in page.map_err(refused)? {
            if filter.status.is_none_or(|it| it.takes(summary.status())) {
                incidents.push(self.wire(self.state(summary.id().as_str())?.as_ref()));
            }
        }
        Ok(incidents)
    }

    fn find(&self, kind: &str, id: &str) -> Result<Option<wit::Incident>, CommandError> {
        let key = reference_key(self.plugin, kind, id);
        let row = REFERENCES.get(self.access.store.as_ref(), &key);
        let Some(row) = row.map_err(refused)? else {
            return Ok(None);
        };
        let state = self.state(row.value.as_str())?;
        Ok(Some(self.wire(&state)))
    }

    async fn open(
        &self,
        draft: wit::Draft,
        by: &wit::Actor,
    ) -> Result<wit::Incident, CommandError> {
        let caller = self.caller(by)?;
        let refs = draft.refs;
        let more: DraftMore = match draft.extra.as_str() {
            "" => DraftMore::default(),
            extra => serde_json::from_str(extra)
                .map_err(|error| CommandError::Invalid(format!("`extra` of the draft: {error}")))?,
        };
        let new = NewIncident {
            title: draft.title,
            summary: draft.summary,
            service: draft.services.into_iter().next().unwrap_or_default(),
            team: more.team,
            security: more.security,
            grade: draft.grade.map(core_grade),
            ..NewIncident::default()
        };
        let same_as = draft.dedup_key.map(IncidentKey);
        let (intake, teams) = (&self.access.intake, &self.access.payloads.roster.teams);
        let key = Some(self.command_key());
        let opened = actions::open(intake, teams, caller, new, same_as, key).await;
        let id = opened.map_err(not_done)?.id.ok_or(CommandError::NotFound)?;
        let id = IncidentId(id);
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
        Ok(self.wire(&state))
    }

    /// Carries out an action in the HTTP API's JSON, such as `{"action":"ack"}`.
    async fn apply(&self, id: &str, action: &str, by: &wit::Actor) -> Result<String, CommandError> {
        let action: Action = serde_json::from_str(action)
            .map_err(|error| CommandError::Invalid(format!("the action: {error}")))?;
        let reply = self.perform(id, by, action).await?;
        Ok(serde_json::json!({ "reply": reply }).to_string())
    }

    /// Carries out an action and returns the reply.
    async fn perform(
        &self,
        id: &str,
        by: &wit::Actor,
        action: Action,
    ) -> Result<String, CommandError> {
        let caller = self.caller(by)?;
        let id = self.state(id)?.incident.id.clone();
        let (intake, key) = (&self.access.intake, Some(self.command_key()));
        let done = perform(intake, caller, id, action, self.plugin, key).await;
        done.map(|it| it.reply).map_err(not_done)
    }

    /// Acknowledges what a button names, through the kind of contact by which the person is known.
    async fn acknowledge(&self, paged: Paged, by: &wit::Actor) -> Result<String, CommandError> {
        let (caller, via) = (self.caller(by)?, self.via(by));
        let (intake, key) = (&self.access.intake, Some(self.command_key()));
        let reply = acknowledge(intake, caller, paged, via, key).await;
        reply.map_err(not_done)
    }

    /// Answers what a button asks, in the name of the person who pressed it.
    async fn answer(
        &self,
        asked: Asked,
        choice: String,
        by: &wit::Actor,
    ) -> Result<String, CommandError> {
        let (caller, via) = (self.caller(by)?, self.via(by));
        let (intake, key) = (&self.access.intake, Some(self.command_key()));
        let reply = answer(intake, caller, asked, choice, via, key).await;
        reply.map_err(not_done)
    }

    /// The kind of contact by which the person is known.
    fn via<'a>(&'a self, by: &'a wit::Actor) -> &'a str {
        match by.kind.as_str() {
            "plugin" | "person" => self.plugin,
            kind => kind,
        }
    }

    /// Tells the pages of a message what its channel learned, if this plugin serves that channel.
    async fn receipt(&self, page_id: &str) -> Result<(), CommandError> {
        if let Some(test) = TestId::parse(page_id) {
            return self.test_seen(test).await;
        }
        let message = MessageId::parse(page_id).ok_or(CommandError::NotFound)?;
        let part = bundle(self.access.store.as_ref(), &message).map_err(refused)?;
        let part = part.ok_or(CommandError::NotFound)?;
        self.need_contacts(&part.contact.kind)?;
        let told = self.access.intake.tell(&message, &MessageOutcome::Seen);
        told.await.map_err(refused)
    }

    async fn test_seen(&self, id: TestId) -> Result<(), CommandError> {
        let test = self.access.intake.test(&id).map_err(refused)?;
        let test = test.ok_or(CommandError::NotFound)?;
        self.need_contacts(&test.contact.kind)?;
        let noted = self.access.intake.note_test(id, TestOutcome::Seen);
        noted.await.map_err(refused)
    }

    /// An author whom the configuration does not know is named as in the chat, and one whom this
    /// plugin cannot know is left out: the entry counts more.
    fn written(&self, entry: &wit::LogDraft) -> Written {
        let author = entry.author.as_ref();
        let author = author.filter(|it| self.serves(&it.kind));
        let author = author.map(|it| {
            let key = PersonKey::Contact {
                kind: &it.kind,
                address: &it.id,
            };
            let known = find_person(self.access, key).map(|it| it.id);
            known.unwrap_or_else(|| format!("{} {}", it.kind, it.id))
        });
        let at = entry.at.and_then(|it| i64::try_from(it).ok());
        Written {
            at: at.map(Timestamp),
            author,
            link: entry.link.clone(),
        }
    }

    /// What this plugin did not deliver does not exist for it.
    fn need_contacts(&self, kind: &str) -> Result<(), CommandError> {
        match self.serves(kind) {
            true => Ok(()),
            false => Err(CommandError::NotFound),
        }
    }

    /// Whether this plugin reaches people by contacts of a kind. Otherwise it could act as anybody
    /// whose address it knows, such as an email.
    fn serves(&self, kind: &str) -> bool {
        let subscribers = self.access.subscribers.load();
        let own = subscribers.of(self.plugin);
        own.is_some_and(|it| it.contacts.contains(kind))
    }

    fn command_key(&self) -> CommandKey {
        CommandKey(format!("plugin/{}/{}", self.plugin, self.key))
    }

    /// Who acts: a person identified by a contact, or the plugin itself. For security incidents,
    /// both need clearance.
    fn caller(&self, by: &wit::Actor) -> Result<Caller, CommandError> {
        if by.kind == "plugin" {
            return Ok(Caller {
                by: Actor::Plugin(self.plugin.into()),
                scope: Scope::Respond,
                clearance: self.clearance(),
            });
        }
        if !self.serves(&by.kind) {
            return Err(CommandError::Denied(format!(
                "plugin {} does not serve {} contacts; add the kind to `contacts` in its \
                 plugin.toml",
                self.plugin, by.kind
            )));
        }
        let key = PersonKey::Contact {
            kind: &by.kind,
            address: &by.id,
        };
        let Some(person) = find_person(self.access, key) else {
            return Err(CommandError::Denied(format!(
                "nobody in the configuration has the {} contact {}; have it added under \
                 [people.NAME], or type `status`, which is for everybody",
                by.kind, by.id
            )));
        };
        let caller = Caller::of_person(person.id.into(), &self.access.payloads.roster.people);
        let mut caller = caller.map_err(|denied| CommandError::Denied(denied.to_string()))?;
        caller.clearance = caller.clearance.and(self.clearance());
        Ok(caller)
    }
}

fn not_done(error: NotDone) -> CommandError {
    match error {
        NotDone::Denied(why) => CommandError::Denied(why.to_string()),
        NotDone::Invalid(why) | NotDone::Missing(why) => CommandError::Invalid(why),
        NotDone::Engine(error) => refused(error),
    }
}

fn refused(error: EngineError) -> CommandError {
    match error {
        EngineError::NoIncident(_) => CommandError::NotFound,
        EngineError::Refused(refusal) => CommandError::Invalid(refusal.in_chat()),
        error => CommandError::Unavailable(error.to_string()),
    }
}

mod lines;
mod reports;
mod silences;
#[cfg(test)]
mod tests;
