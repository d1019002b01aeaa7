//! What people type in a chat: actions on an incident, how it goes, and who is on call.

use tocsin_plugin_host::wit;
use tocsin_plugin_host::wit::CommandError;

use super::{Call, not_done};
use crate::actions::chat::{self, Line};
use crate::actions::oncall::chat::OnCallLine;
use crate::actions::oncall::{Answered, change_on_call};
use crate::disclosure::{Clearance, Disclosed, company_view};
use crate::runtime::IncidentState;

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
            Line::Action(_) | Line::Status => {}
        }
        if let (None, Line::Status) = (&incident, &parsed) {
            return Ok(self.open_incidents());
        }
        let id = incident.ok_or_else(|| {
            CommandError::Invalid("use this command in an incident's war room".to_owned())
        })?;
        let Line::Action(action) = parsed else {
            let state = self.state(&id)?;
            let clearance = self.caller(by).map_or(Clearance::Basic, |it| it.clearance);
            return Ok(status_line(&state, clearance));
        };
        self.perform(&id, by, action).await
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
    let line = Disclosed::of(&state.incident, clearance).line;
    let operator = line.operator.as_ref().map_or("nobody", |it| it.as_str());
    format!(
        "incident {}: {} · {} · {} · operator: {operator} · {} of {} alerts firing",
        line.number,
        line.title,
        line.grade,
        line.status,
        state.tally.counts.firing,
        state.tally.counts.total,
    )
}
