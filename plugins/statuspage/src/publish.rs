//! Posts public updates, each once and in their order.

use crate::page::Component;
use crate::row::{self, Waiting};
use crate::settings::{self, NAMES};
use crate::work::Work;
use crate::{claim, wanted};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Delivery, Failure, Outcome, Update};
use tocsin_plugin_sdk::{kv, log, text};

/// Statuspage's limits, in characters.
const NAME_CHARS_MAX: usize = 255;
pub(crate) const BODY_CHARS_MAX: usize = 25_000;

/// Posts an update for the public.
///
/// # Errors
/// Those of Statuspage and the store.
pub(crate) fn posted(update: &Update, seq: u64, delivery: &Delivery) -> Result<Outcome, Failure> {
    let incident = &update.incident;
    if incident.drill {
        return Ok(Outcome::Ignored);
    }
    row::note(update, seq, wanted::status(incident))?;
    claim::exclusively(delivery, || {
        Work::start(incident, delivery)?.bring_up_to_date(&update.id)
    })
}

impl Work<'_> {
    /// Posts the updates that wait; then the page follows the incident's state.
    ///
    /// # Errors
    /// As [`post_waiting`](Self::post_waiting).
    pub(crate) fn bring_up_to_date(&mut self, own: &str) -> Result<Outcome, Failure> {
        let refused = self.post_waiting(own)?;
        self.link()?;
        self.follow()?;
        refused.map_or(Ok(Outcome::Done), Err)
    }

    /// Posts the updates that wait. Returns the refusal of `own`; that of another one is its own
    /// delivery's to report.
    ///
    /// # Errors
    /// Those of Statuspage and the store that a retry or the operator can fix.
    pub(crate) fn post_waiting(&mut self, own: &str) -> Result<Option<Failure>, Failure> {
        let mut refused = None;
        for (key, waiting) in row::waiting(&self.incident.id)? {
            match self.post(&waiting) {
                Err(failure @ Failure::Permanent(_)) if waiting.id == own => {
                    refused = Some(failure);
                }
                Err(Failure::Permanent(why)) => {
                    let fields = [("update", waiting.id.as_str()), ("why", &why)];
                    log::warn("an update that waited was refused", &fields);
                }
                result => result?,
            }
            kv::delete(&key)?;
        }
        Ok(refused)
    }

    fn post(&mut self, waiting: &Waiting) -> Result<(), Failure> {
        if self.row.has(&waiting.id) {
            return Ok(());
        }
        if self.row.is_gone {
            return Err(self.gone());
        }
        self.make_certain()?;
        let is_there = self.row.id.is_some() || self.adopt()?;
        if self.row.has(&waiting.id) {
            return Ok(());
        }
        let marker = self.row.marker(&self.incident.id, Some(&waiting.id));
        let mut fields = json!({
            "status": waiting.status,
            "body": text::cut(&waiting.body, BODY_CHARS_MAX),
            "deliver_notifications": true,
            "metadata": marker.metadata(),
        });
        match is_there {
            true => self.add_state(&mut fields, &waiting.status)?,
            false => self.add_beginning(&mut fields, &waiting.status)?,
        }
        self.send(Some(&waiting.id), &fields)
    }

    /// Adds what an incident begins with on the page.
    fn add_beginning(&mut self, fields: &mut Value, status: &str) -> Result<(), Failure> {
        let named = self.named()?;
        fields["name"] = self.name(&named).into();
        if let Some(impact) = wanted::impact(self.incident) {
            fields["impact_override"] = impact.into();
        }
        let ids: Vec<String> = named.into_iter().map(|it| it.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        fields["component_ids"] = ids.clone().into();
        if !wanted::is_over(status) {
            fields["components"] = self.statuses(&ids, status)?.into();
        }
        Ok(())
    }

    /// What the incident is called on the page: never its internal title. The public title of a
    /// security incident is a code name, which is not for outsiders either.
    fn name(&self, components: &[Component]) -> String {
        let title = self.incident.public_title.as_deref();
        let title = title.filter(|it| !self.incident.security && !it.trim().is_empty());
        let names: Vec<&str> = components.iter().map(|it| it.name.as_str()).collect();
        let name = match (title, &names[..]) {
            (Some(title), _) => title.into(),
            (None, []) => settings::text("name"),
            (None, names) => settings::text("name-of-components").replace(NAMES, &names.join(", ")),
        };
        text::cut(&text::one_line(&name), NAME_CHARS_MAX)
    }
}
