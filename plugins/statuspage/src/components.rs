//! The components of an incident on the page. One that several incidents affect shows the worst.

use crate::api::ApiError;
use crate::page::Component;
use crate::settings::{self, COMPONENT_STATUSES};
use crate::wanted;
use crate::work::Work;
use tocsin_plugin_sdk::log;
use tocsin_plugin_sdk::serde_json::{Map, Value};
use tocsin_plugin_sdk::types::Failure;

impl Work<'_> {
    /// The components that show the incident's services. One that the page does not have must not
    /// keep an update from the public.
    pub(crate) fn named(&mut self) -> Result<Vec<Component>, Failure> {
        let mut found = Vec::new();
        if self.incident.security {
            return Ok(found);
        }
        for id in settings::components(&self.incident.services) {
            let component = self.api.component(&id).map_err(ApiError::into_failure)?;
            if component.is_none() {
                let why = "the page has no such component; correct the setting `components`";
                log::error(why, &[("component", &id)]);
            }
            found.extend(component);
        }
        Ok(found)
    }

    /// The statuses of components once the incident has a status on the page: the worst of those
    /// that tocsin's unresolved incidents give them, else operational. Where only incidents of
    /// others remain, and where the grade is not to be told, a component stays as it is.
    pub(crate) fn statuses(
        &mut self,
        ids: &[String],
        status: &str,
    ) -> Result<Map<String, Value>, Failure> {
        let mut statuses = Map::new();
        let own = match (wanted::is_over(status), wanted::impact(self.incident)) {
            (true, _) => None,
            (false, Some(impact)) => Some(settings::component_status(impact)),
            (false, None) => return Ok(statuses),
        };
        let page_id = self.row.id.clone();
        for id in ids {
            let unresolved = self.unresolved()?.iter();
            let others = unresolved.filter(|it| Some(&it.id) != page_id.as_ref());
            let others = others.filter(|it| it.components().any(|it| it == id));
            let others: Vec<_> = others.collect();
            let ours = others.iter().filter(|it| it.marker().is_some());
            let theirs = ours.filter_map(|it| it.impact_override.as_deref());
            let given = theirs.map(settings::component_status).chain(own.clone());
            let rank = |it: &String| COMPONENT_STATUSES.iter().position(|known| known == it);
            match given.max_by_key(rank) {
                Some(worst) => statuses.insert(id.clone(), worst.into()),
                None if others.is_empty() => {
                    statuses.insert(id.clone(), COMPONENT_STATUSES[0].into())
                }
                None => None,
            };
        }
        Ok(statuses)
    }
}
