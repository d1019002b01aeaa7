//! Questions about who is on call and how much people have to do, for chat and HTTP.

use super::chat::{OnCallLine, help};
use super::{OnCallAction, OnCallDesk};
use crate::actions::NotDone;
use crate::api::{
    HoursLine, HoursQuery, HoursReport, LoadQuery, LoadReport, OnCall, OverrideList, ScheduleQuery,
    WhoQuery,
};
use crate::runtime::LoadReader;

/// What a line of chat asks for.
pub(crate) enum Answered {
    /// The answer.
    Says(String),
    /// Nothing: it changes who is on call.
    Changes(OnCallAction),
}

impl OnCallDesk {
    /// Answers a line of chat, unless it changes something.
    ///
    /// # Errors
    /// [`NotDone`] when it asks about what does not exist, or the store cannot be read.
    pub(crate) fn answer(&self, line: OnCallLine) -> Result<Answered, NotDone> {
        let now = self.now;
        Ok(Answered::Says(match line {
            OnCallLine::Change(action) => return Ok(Answered::Changes(action)),
            OnCallLine::Help => help(),
            OnCallLine::Who(at) => self.who(&WhoQuery { at, key: None })?.to_string(),
            OnCallLine::List => {
                let (kept, roster) = (self.on_call.overrides()?, self.on_call.roster());
                OverrideList::of(&kept, &roster, now).to_string()
            }
            OnCallLine::Show(rotation) => {
                let schedule = ScheduleQuery::of(Some(rotation)).schedule(&self.responders, now);
                schedule.map_err(NotDone::Invalid)?.to_string()
            }
            OnCallLine::Load(team) => {
                let since = None;
                self.load(&LoadQuery {
                    team,
                    since,
                    key: None,
                })?
                .to_string()
            }
        }))
    }

    /// Who is on call at a time.
    ///
    /// # Errors
    /// [`NotDone`] when it is too far away.
    pub(crate) fn who(&self, query: &WhoQuery) -> Result<OnCall, NotDone> {
        let on_call = query.on_call(&self.responders, self.now);
        on_call.map_err(NotDone::Invalid)
    }

    /// How much people had to do.
    ///
    /// # Errors
    /// [`NotDone`] when there is no such team, or the store cannot be read.
    pub(crate) fn load(&self, query: &LoadQuery) -> Result<LoadReport, NotDone> {
        let (roster, window) = (self.on_call.roster(), query.window(self.now));
        let reader = LoadReader::at(&self.view, &roster, self.now);
        let mut loads = Vec::new();
        for person in query.people(&roster).map_err(NotDone::Invalid)? {
            let load = reader.load_of(&person, window)?;
            loads.push((person, load));
        }
        Ok(LoadReport::of(query, &roster, window, loads))
    }

    /// How long people were on call in a month, and what they had to do in it.
    ///
    /// # Errors
    /// [`NotDone`] when nothing is known of the month, or the store cannot be read.
    pub(crate) fn hours(&self, query: &HoursQuery) -> Result<HoursReport, NotDone> {
        let month = query.checked(self.now).map_err(NotDone::Invalid)?;
        let roster = self.on_call.roster();
        let reader = LoadReader::at(&self.view, &roster, self.now);
        let mut people = Vec::new();
        for (person, time) in roster.on_call_in(month, self.now) {
            let (from, until) = month.window(roster.zone(&person));
            let load = reader.load_of(&person, (from, until.min(self.now)))?;
            people.push(HoursLine::of(&roster, &person, time, load));
        }
        Ok(HoursReport { month, people })
    }
}
