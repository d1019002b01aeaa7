//! What people type in a chat: actions on an incident, how it goes, and who is on call.

use std::collections::BTreeMap;

use tocsin_core::PolicySource;
use tocsin_plugin_host::wit;
use tocsin_plugin_host::wit::CommandError;

use super::{Call, not_done, refused};
use crate::actions::chat::{self, Line};
use crate::actions::oncall::chat::OnCallLine;
use crate::actions::oncall::{Answered, change_on_call};
use crate::actions::{self, NewIncident};
use crate::disclosure::{Clearance, Decision, Disclosed, company_view, decisions};
use crate::runtime::{IncidentState, events_of};

/// Most changes that a status lists, the last first.
const CHANGES_MAX: usize = 10;

impl Call<'_> {
    /// Carries out a line, or answers it.
    pub(super) async fn run(
        &self,
        incident: Option<String>,
        line: &str,
        by: &wit::Actor,
    ) -> Result<String, CommandError> {
        let (incident, line) = match joined(line) {
            Some(number) => (Some(number.to_owned()), "join"),
            None => (incident, line),
        };
        let parsed = chat::parse(line, self.plugin).map_err(CommandError::Invalid)?;
        match parsed {
            Line::Help => return Ok(chat::help()),
            Line::OnCall(line) => return self.on_call(line, by).await,
            Line::Open(new) => return self.open_by_line(new, by).await,
            Line::Silence(line) => return self.about_silences(line, by).await,
            Line::Action(_) | Line::Status | Line::Why => {}
        }
        if let (None, Line::Status) = (&incident, &parsed) {
            return Ok(self.open_incidents());
        }
        let id = incident.ok_or_else(|| {
            let why =
                "there is no incident here; use its war room, or `status` to see what is open";
            CommandError::Invalid(why.to_owned())
        })?;
        match (parsed, self.caller(by)) {
            (Line::Action(action), _) => self.perform(&id, by, action).await,
            (Line::Why, caller) => self.why(&*self.state(&id)?, caller?.clearance),
            (_, Ok(caller)) => Ok(status_line(&*self.state(&id)?, caller.clearance)),
            // Whoever is not in the configuration gets what the company gets.
            (_, Err(_)) => Ok(self.open_incidents()),
        }
    }

    async fn open_by_line(
        &self,
        new: NewIncident,
        by: &wit::Actor,
    ) -> Result<String, CommandError> {
        let (intake, teams) = (&self.access.intake, &self.access.payloads.roster.teams);
        let (caller, key) = (self.caller(by)?, Some(self.command_key()));
        let opened = actions::open(intake, teams, caller, new, None, key).await;
        opened.map(|it| it.reply).map_err(not_done)
    }

    /// What the policies decided about an incident, the newest of each kind.
    fn why(&self, state: &IncidentState, clearance: Clearance) -> Result<String, CommandError> {
        let events = events_of(self.access.store.as_ref(), &state.incident.id).map_err(refused)?;
        let mut newest = BTreeMap::new();
        for decision in decisions(&state.incident, &events, clearance) {
            newest.insert(decision.about, decision);
        }
        let line = |it: &Decision| {
            let source = it
                .source
                .as_ref()
                .map_or_else(|| it.by.to_string(), PolicySource::place);
            format!(
                "{}: {}, because {} ({source})",
                it.about, it.answer, it.reason
            )
        };
        let lines: Vec<String> = newest.values().map(line).collect();
        match lines.is_empty() {
            true => Ok("only people with clearance may see this incident's decisions".to_owned()),
            false => Ok(lines.join("\n")),
        }
    }

    /// What anybody in the company may know, in the configuration or not.
    fn open_incidents(&self) -> String {
        let states = self.access.view.in_memory();
        company_view(
            states.iter().map(|it| &*it.incident),
            self.access.clock.now(),
        )
    }

    /// Answers a command about who is on call, or carries it out.
    async fn on_call(&self, line: OnCallLine, by: &wit::Actor) -> Result<String, CommandError> {
        let desk = self.access.desk();
        let action = match desk.answer(line).map_err(not_done)? {
            Answered::Says(answer) => return Ok(answer),
            Answered::Changes(action) => action,
        };
        let caller = self.caller(by)?;
        let key = Some(self.command_key().0);
        let done = change_on_call(&desk, &caller, &action, key).await;
        done.map(|it| it.reply).map_err(not_done)
    }
}

/// The number of the incident that a line joins from anywhere, as `join 42`: nobody is in a war
/// room before they join.
fn joined(line: &str) -> Option<&str> {
    let (verb, number) = line.trim().split_once(' ')?;
    let number = number.trim().trim_start_matches('#');
    (verb == "join" && number.parse::<u64>().is_ok()).then_some(number)
}

fn status_line(state: &IncidentState, clearance: Clearance) -> String {
    let seen = Disclosed::of(&state.incident, clearance);
    let line = seen.line;
    let operator = line.operator.as_ref().map_or("nobody", |it| it.as_str());
    let drill = if line.drill { "DRILL: " } else { "" };
    let status = format!(
        "incident {}: {drill}{} · {} · {} · operator: {operator} · {} of {} alerts firing",
        line.number,
        line.title,
        line.grade,
        line.status,
        state.tally.counts.firing,
        state.tally.counts.total,
    );
    let changes = seen.changes.all.iter().rev().take(CHANGES_MAX);
    let changes = changes.map(|(number, it)| {
        let link = it.brief.link.iter().map(|url| format!(" {url}"));
        let (title, link) = (&it.brief.title, link.collect::<String>());
        format!("change {number}, {}: {title}{link}", it.status.as_str())
    });
    let lines: Vec<_> = std::iter::once(status).chain(changes).collect();
    lines.join("\n")
}
