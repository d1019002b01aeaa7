//! Updates to audiences as notes on the incident's issue, each once.

use crate::api;
use crate::issue::{self, Place};
use crate::text::{self, marker};
use crate::time::shown;
use crate::{api::ApiError, once};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Audience, Delivery, Failure, Outcome, Update};

const BODY_CHARS_MAX: usize = 20_000;
const PAGE: &str = "100";

/// Posts an update. Without clearance nothing is posted about a security incident.
///
/// # Errors
/// Those of GitLab and the store.
pub(crate) fn post(update: &Update, delivery: &Delivery) -> Result<Outcome, Failure> {
    let audience = match update.audience {
        Audience::Engineering => "engineering",
        Audience::Company => "the company",
        Audience::Public => "the public",
        Audience::WarRoom => return Ok(Outcome::Ignored),
    };
    let incident = issue::now(&update.incident)?;
    let place = issue::ensure(&incident, delivery)?;
    let Some(place) = place.filter(|_| !issue::is_redacted(&incident)) else {
        return Ok(Outcome::Ignored);
    };
    let what = format!("update:{}", update.id);
    let body = json!({ "body": body(update, audience, &what) });
    let path = format!("{}/notes", place.path());
    once::make(
        &what,
        || find(&place, &what),
        |key| api::write("POST", &path, &body, key),
    )?;
    Ok(Outcome::Done)
}

fn body(update: &Update, audience: &str, what: &str) -> String {
    let next = match update.next_update_at {
        Some(at) => format!("\n\nNext update by {}.", shown(at)),
        None => String::new(),
    };
    format!(
        "**Update for {audience}** by {} at {}:\n\n{}{next}\n\n{}",
        text::actor(&update.author),
        shown(update.at),
        text::markdown(&update.body, BODY_CHARS_MAX),
        marker(what)
    )
}

/// A note of ours by what its marker says, among the newest.
fn find(place: &Place, what: &str) -> Result<Option<Value>, ApiError> {
    let query = [
        ("sort", "desc"),
        ("order_by", "created_at"),
        ("per_page", PAGE),
    ];
    let notes = api::get(&format!("{}/notes", place.path()), &query)?;
    let marker = marker(what);
    let mut notes = notes.as_array().into_iter().flatten();
    let is_it = |it: &&Value| it["body"].as_str().unwrap_or_default().contains(&marker);
    Ok(notes.find(is_it).cloned())
}
