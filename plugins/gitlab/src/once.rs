//! Creates something in GitLab exactly once, whatever becomes of the responses.
//!
//! A row says that it was tried before it is sent, and what was made once that is known. If it was
//! tried and nothing is known, it is looked for before it is sent again.

use crate::api::ApiError;
use crate::issue::Place;
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::Failure;
use tocsin_plugin_sdk::{http, kv};

/// How long it is remembered, in milliseconds: an incident may reopen.
const MADE_TTL_MS: u64 = 60 * 24 * 3_600_000;

/// What was made: an issue, a note or a link.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// The ID of the project.
    pub(crate) project: u64,
    /// Of an issue, its number in the project.
    pub(crate) iid: u64,
    pub(crate) url: Option<String>,
}

impl Made {
    pub(crate) fn at(place: &Place) -> Self {
        Self {
            project: place.project,
            iid: place.iid,
            url: None,
        }
    }

    /// As GitLab describes it.
    pub(crate) fn of(answer: &Value) -> Self {
        let number = |name: &str| answer[name].as_u64().unwrap_or_default();
        Self {
            project: number("project_id"),
            iid: number("iid"),
            url: answer["web_url"].as_str().map(Into::into),
        }
    }
}

#[derive(Serialize, Deserialize)]
enum State {
    Tried,
    Made(Made),
}

/// Makes what `effect` names with `make`, which gets the key for `once`, unless it was made; `find`
/// looks for it.
///
/// # Errors
/// Those of GitLab and the store.
pub(crate) fn make(
    effect: &str,
    find: impl Fn() -> Result<Option<Value>, ApiError>,
    make: impl Fn(&str) -> Result<Value, ApiError>,
) -> Result<Made, Failure> {
    let key = format!("made:{effect}");
    match kv::get::<State>(&key)?.map(|it| it.value) {
        Some(State::Made(made)) => return Ok(made),
        Some(State::Tried) => {
            if let Some(found) = find()? {
                return keep(&key, Made::of(&found));
            }
            http::forget(effect);
        }
        None => {
            kv::set(&key, &State::Tried, Some(MADE_TTL_MS))?;
        }
    }
    match make(effect) {
        Ok(answer) => keep(&key, Made::of(&answer)),
        Err(error @ (ApiError::Unsure(_) | ApiError::Lost(_))) => Err(error.into()),
        Err(error) => {
            kv::delete(&key)?;
            Err(error.into())
        }
    }
}

fn keep(key: &str, made: Made) -> Result<Made, Failure> {
    kv::set(key, &State::Made(made.clone()), Some(MADE_TTL_MS))?;
    Ok(made)
}
