//! What one call does to one incident on the page, under the claim.
//!
//! Statuspage has no idempotency keys. So what is about to be sent is recorded first. While its
//! outcome is unknown, the page is read: what it shows has arrived. What it does not show may still
//! be on its way, and is sent again only once the attempt is old. An incident is created only if
//! neither the unresolved ones of the page nor its newest carry our id, which also finds the one
//! that a daemon has forgotten that was restored from an older state.

use crate::api::{Api, ApiError};
use crate::page::PageIncident;
use crate::row::{Row, Sent};
use crate::{settings, wanted};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident};
use tocsin_plugin_sdk::{clock, commands, http};

/// How long a request whose answer was lost may still take effect, in milliseconds.
const SETTLE_MS: u64 = 30_000;
/// The kind of the link of an incident to its counterpart on the page.
pub(crate) const LINK: &str = "statuspage-incident";
/// Whose links are ours.
const PLUGIN: &str = "statuspage";

/// An incident, and what is known of it on the page.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) api: Api,
    pub(crate) incident: &'a Incident,
    pub(crate) row: Row,
    /// The page's incidents that are not resolved, once they were read.
    unresolved: Option<Vec<PageIncident>>,
}

/// The incident on the page that an incident is linked to.
pub(crate) fn linked(incident: &Incident) -> Option<&str> {
    let mut refs = incident.refs.iter();
    let ours = refs.find(|it| it.plugin == PLUGIN && it.kind == LINK);
    ours.map(|it| it.id.as_str())
}

impl<'a> Work<'a> {
    pub(crate) fn start(incident: &'a Incident, delivery: &Delivery) -> Result<Self, Failure> {
        Ok(Self {
            api: Api::until(delivery.deadline),
            incident,
            row: Row::load(&incident.id, &settings::page_id())?,
            unresolved: None,
        })
    }

    /// Finds out what became of a request whose answer was lost.
    ///
    /// # Errors
    /// Retry while it may still take effect, and those of Statuspage.
    pub(crate) fn make_certain(&mut self) -> Result<(), Failure> {
        let Some(sent) = self.row.sent.clone() else {
            return Ok(());
        };
        match self.row.id.clone() {
            None => drop(self.adopt()?),
            Some(id) => match self.api.incident(&id).map_err(ApiError::into_failure)? {
                Some(found) => self.row.take(&found),
                None => return Err(self.gone()),
            },
        }
        let has_arrived = match &sent.update {
            Some(update) => self.row.has(update),
            None => self.row.status == sent.status && self.row.impact == sent.impact,
        };
        let left_ms = (sent.at + SETTLE_MS).saturating_sub(clock::now());
        if has_arrived {
            self.told(sent.update.is_some());
        } else if left_ms > 0 {
            self.save()?;
            let why = "an earlier request's answer was lost; the page does not show it yet";
            return Err(Failure::retry_after(why, left_ms));
        } else if let Some(update) = &sent.update {
            http::forget(&once(update));
        }
        self.row.sent = None;
        self.save()
    }

    /// Takes over the incident on the page that is this one, if there is one.
    pub(crate) fn adopt(&mut self) -> Result<bool, Failure> {
        if self.adopt_linked()? {
            return Ok(true);
        }
        let id = self.incident.id.clone();
        let mut unresolved = self.unresolved()?.iter();
        let found = match unresolved.find(|it| it.is_of(&id)).cloned() {
            Some(found) => Some(found),
            None => {
                let recent = self.api.recent().map_err(ApiError::into_failure)?;
                recent.into_iter().find(|it| it.is_of(&id))
            }
        };
        found.map_or(Ok(false), |it| self.take(&it))
    }

    /// As [`adopt`](Self::adopt), by the incident's link only.
    pub(crate) fn adopt_linked(&mut self) -> Result<bool, Failure> {
        let Some(id) = linked(self.incident) else {
            return Ok(false);
        };
        let found = self.api.incident(id).map_err(ApiError::into_failure)?;
        // After a merge it may be another's.
        let is_ours = |it: &PageIncident| {
            let marker = it.marker();
            marker.is_none_or(|it| it.incident_id == self.incident.id)
        };
        match found.filter(is_ours) {
            None => Ok(false),
            Some(found) => {
                self.row.is_linked = true;
                self.take(&found)
            }
        }
    }

    fn take(&mut self, found: &PageIncident) -> Result<bool, Failure> {
        self.row.take(found);
        self.row.is_end_told = wanted::is_over(&self.row.status);
        self.save().map(|()| true)
    }

    /// The page's incidents that are not resolved, as they were when first asked for.
    pub(crate) fn unresolved(&mut self) -> Result<&[PageIncident], Failure> {
        if self.unresolved.is_none() {
            let read = self.api.unresolved().map_err(ApiError::into_failure)?;
            self.unresolved = Some(read);
        }
        Ok(self.unresolved.as_deref().unwrap_or_default())
    }

    /// Changes the incident on the page, or creates it, with the text of an update or without.
    ///
    /// # Errors
    /// Those of Statuspage; after one that says nothing about the outcome,
    /// [`make_certain`](Self::make_certain) comes first.
    pub(crate) fn send(&mut self, update: Option<&str>, fields: &Value) -> Result<(), Failure> {
        let field = |key: &str| fields[key].as_str().map(str::to_owned);
        self.row.sent = Some(Sent {
            update: update.map(Into::into),
            status: field("status").unwrap_or_else(|| self.row.status.clone()),
            impact: field("impact_override").or_else(|| self.row.impact.clone()),
            at: clock::now(),
        });
        self.save()?;
        let once = update.map(once);
        let body = json!({ "incident": fields });
        let answer = match &self.row.id {
            Some(id) => self.api.change(id, &body, once.as_deref()),
            None => self.api.create(&body, once.as_deref()),
        };
        match answer {
            Ok(found) => {
                self.row.take(&found);
                update.iter().for_each(|it| self.row.add(it));
                self.told(update.is_some());
                self.row.sent = None;
                self.save()
            }
            Err(ApiError::Unsure(failure)) => Err(failure),
            Err(ApiError::NotFound(_)) if self.row.id.is_some() => Err(self.gone()),
            Err(error) => {
                self.row.sent = None;
                self.save()?;
                Err(error.into_failure())
            }
        }
    }

    /// Links the incident to the one on the page.
    pub(crate) fn link(&mut self) -> Result<(), Failure> {
        let Some(id) = self.row.id.as_deref().filter(|_| !self.row.is_linked) else {
            return Ok(());
        };
        commands::link(&self.incident.id, LINK, id, self.row.url.as_deref())?;
        self.row.is_linked = true;
        self.save()
    }

    pub(crate) fn save(&self) -> Result<(), Failure> {
        self.row.save(&self.incident.id)
    }

    /// The failure of an update to an incident that the page no longer has.
    pub(crate) fn gone(&mut self) -> Failure {
        if let Err(ApiError::NotFound(page)) = self.api.probe() {
            return page;
        }
        (self.row.is_gone, self.row.sent) = (true, None);
        let id = self.row.id.as_deref().unwrap_or_default();
        let why = format!(
            "the page no longer has incident {id}: somebody deleted it. Post further updates by \
             hand, as tocsin creates no second incident"
        );
        self.save().err().unwrap_or(Failure::Permanent(why))
    }

    /// Remembers whether subscribers know that it is over.
    fn told(&mut self, is_update: bool) {
        let is_over = wanted::is_over(&self.row.status);
        self.row.is_end_told = is_over || (self.row.is_end_told && !is_update);
    }
}

/// The `once` key of an update's request.
fn once(update: &str) -> String {
    format!("update:{update}")
}
