//! The page follows the incident's state, once it is there.
//!
//! What a reader sees of that is the status, the impact and the components; only the end has a
//! text, a neutral one. Subscribers get that text once after each public update, and nothing else
//! that nobody wrote. So an incident that comes and goes does not mail them again and again.

use crate::publish::BODY_CHARS_MAX;
use crate::row::{self, Row};
use crate::work::{Work, linked};
use crate::{claim, merged, settings, wanted};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::text;
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident, IncidentChange, Outcome};

/// Handles a change of an incident. A drill is never on the page.
///
/// # Errors
/// Those of Statuspage and the store.
pub(crate) fn changed(change: &IncidentChange, delivery: &Delivery) -> Result<Outcome, Failure> {
    let after = &change.after;
    let row = Row::load(&after.id, &settings::page_id())?;
    let is_known = row.id.is_some() || linked(after).is_some();
    let waits = !row::waiting(&after.id)?.is_empty();
    if !is_known && !waits {
        return Ok(Outcome::Ignored);
    }
    // The change may be an old one.
    let incident = match commands::get(&after.id) {
        Err(CommandError::NotFound) => after.clone(),
        result => result?,
    };
    let is_certain = row.id.is_some() && row.sent.is_none() && row.is_linked;
    if is_certain && !waits && !differs(&row, &incident) {
        return Ok(Outcome::Ignored);
    }
    claim::exclusively(delivery, || {
        let mut work = Work::start(&incident, delivery)?;
        let is_there = work.row.id.is_some() || waits || work.adopt_linked()?;
        match (is_there, wanted::merged_into(&incident)) {
            (false, _) => Ok(Outcome::Ignored),
            (true, Some(into)) => merged::hand_over(work, into, delivery),
            (true, None) => work.bring_up_to_date(""),
        }
    })
}

/// Whether the page must change, and nobody has to write a text for it. What is said of a security
/// incident, somebody has written.
fn differs(row: &Row, incident: &Incident) -> bool {
    if incident.security || row.is_gone {
        return false;
    }
    let status = wanted::status(incident);
    let is_graded = wanted::is_over(status) || row.impact.as_deref() == wanted::impact(incident);
    !is_graded || !wanted::is_same(status, &row.status)
}

impl Work<'_> {
    /// Brings the page's status, impact and components to those of the incident.
    ///
    /// # Errors
    /// Those of Statuspage and the store.
    pub(crate) fn follow(&mut self) -> Result<(), Failure> {
        if self.row.id.is_none() || self.row.is_gone {
            return Ok(());
        }
        self.make_certain()?;
        if !differs(&self.row, self.incident) {
            return Ok(());
        }
        let status = wanted::status(self.incident);
        let mut fields = json!({"deliver_notifications": false});
        if !wanted::is_same(status, &self.row.status) {
            fields["status"] = status.into();
            let text = settings::text("resolved-text");
            // An incident that was merged goes on in another one.
            let is_end = wanted::is_over(status) && wanted::merged_into(self.incident).is_none();
            if is_end && !text.is_empty() {
                fields["body"] = text::cut(&text, BODY_CHARS_MAX).into();
                fields["deliver_notifications"] = (!self.row.is_end_told).into();
            }
        }
        self.add_state(&mut fields, status)?;
        self.send(None, &fields)
    }

    /// Adds what a change to a status changes besides: the impact and the components.
    pub(crate) fn add_state(&mut self, fields: &mut Value, status: &str) -> Result<(), Failure> {
        let is_over = wanted::is_over(status);
        let impact = wanted::impact(self.incident).filter(|_| !is_over);
        let impact = impact.filter(|it| self.row.impact.as_deref() != Some(*it));
        if let Some(impact) = impact {
            fields["impact_override"] = impact.into();
        }
        let ids = self.row.components.clone();
        let is_turned = is_over != wanted::is_over(&self.row.status);
        if ids.is_empty() || (impact.is_none() && !is_turned) {
            return Ok(());
        }
        let statuses = self.statuses(&ids, status)?;
        if !statuses.is_empty() {
            fields["components"] = statuses.into();
        }
        Ok(())
    }
}
