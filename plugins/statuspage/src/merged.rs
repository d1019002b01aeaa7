//! An incident that was merged into another hands over its counterpart on the page, as it hands
//! over its promises: to the public it goes on.

use crate::api::ApiError;
use crate::row::{self, Row};
use crate::settings;
use crate::work::{Work, linked};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident, Outcome};

/// Hands over to the incident with this number. If that is on the page itself, or is a drill, this
/// one ends there without a text.
///
/// # Errors
/// Those of Statuspage, the engine and the store.
pub(crate) fn hand_over(
    mut work: Work<'_>,
    number: u64,
    delivery: &Delivery,
) -> Result<Outcome, Failure> {
    let into = match commands::get(&number.to_string()) {
        Err(CommandError::NotFound) => return work.bring_up_to_date(""),
        result => result?,
    };
    work.post_waiting("")?;
    work.make_certain()?;
    let Some(id) = work.row.id.clone().filter(|_| !work.row.is_gone) else {
        return work.bring_up_to_date("");
    };
    let theirs = Row::load(&into.id, &settings::page_id())?;
    // An earlier attempt may have been cut off after it handed over.
    let is_done = theirs.id.as_ref() == Some(&id);
    if !is_done {
        if into.drill || is_on_page(&into, &theirs)? {
            return work.bring_up_to_date("");
        }
        let marker = work.row.marker(&into.id, None);
        let fields = json!({"metadata": marker.metadata(), "deliver_notifications": false});
        let body = json!({ "incident": fields });
        // Repeating it changes nothing and says nothing.
        let changed = work.api.change(&id, &body, None);
        changed.map_err(ApiError::into_failure)?;
        work.row.is_linked = false;
        work.row.save(&into.id)?;
    }
    row::forget(&work.incident.id)?;
    Work::start(&into, delivery)?.bring_up_to_date("")
}

fn is_on_page(incident: &Incident, row: &Row) -> Result<bool, Failure> {
    let is_known = row.id.is_some() || row.sent.is_some() || linked(incident).is_some();
    Ok(is_known || !row::waiting(&incident.id)?.is_empty())
}
