//! Webhooks from GitLab. The host has verified the sender. GitLab waits ten seconds, does not send
//! again what failed, and turns off a webhook that fails often; so what is to be done is queued as
//! jobs, and only what cannot be read is refused.

use crate::{changes, remarks};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tocsin_plugin_sdk::serde_json::{self, json};
use tocsin_plugin_sdk::types::{Failure, WebhookRequest, WebhookResponse};

/// The header that says what happened.
const EVENT: &str = "x-gitlab-event";
/// Those that are read.
const KNOWN: [&str; 10] = [
    "Confidential Issue Hook",
    "Confidential Note Hook",
    "Deployment Hook",
    "Issue Hook",
    "Note Hook",
    "Pipeline Hook",
    "Push Hook",
    "Release Hook",
    "Tag Push Hook",
    "Work Item Hook",
];

/// The project that a hook is about.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Project {
    pub(crate) id: u64,
    pub(crate) path_with_namespace: String,
    #[serde(default)]
    pub(crate) web_url: Option<String>,
    #[serde(default)]
    pub(crate) default_branch: Option<String>,
}

/// Why a hook has no effect.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It cannot be read.
    Broken(String),
    /// It cannot be handled now.
    Failed(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

/// Answers one request.
///
/// # Errors
/// When the store or the queue is not available.
pub(crate) fn handle(request: &WebhookRequest) -> Result<WebhookResponse, Failure> {
    if !request.verified {
        return Ok(WebhookResponse::new(401));
    }
    match read(request) {
        Ok(()) => Ok(WebhookResponse::new(200)),
        Err(Refusal::Broken(why)) => {
            let kind = request.header(EVENT).unwrap_or("hook");
            let error = format!("the {kind} cannot be read: {why}");
            Ok(WebhookResponse::json(400, &json!({ "error": error })))
        }
        Err(Refusal::Failed(failure)) => Err(failure),
    }
}

/// What every hook says.
#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    object_kind: String,
}

fn read(request: &WebhookRequest) -> Result<(), Refusal> {
    let kind = match parse::<Kind>(request) {
        Ok(kind) => kind.object_kind,
        Err(error) => {
            let named = request.header(EVENT).unwrap_or_default();
            return match KNOWN.contains(&named) {
                true => Err(error),
                false => Ok(()),
            };
        }
    };
    match kind.as_str() {
        "deployment" => changes::deployment(&parse(request)?),
        "pipeline" => changes::pipeline(&parse(request)?, request.received_at),
        "push" => changes::push(&parse(request)?, request.received_at),
        "release" => changes::release(&parse(request)?, request.received_at),
        "tag_push" => changes::tag(&parse(request)?, request.received_at),
        // An issue of the type incident is a work item.
        "issue" | "work_item" => remarks::issue(&parse(request)?, request.received_at),
        "note" => remarks::note(&parse(request)?, request.received_at),
        _ => Ok(()),
    }
}

fn parse<T: DeserializeOwned>(request: &WebhookRequest) -> Result<T, Refusal> {
    Ok(serde_json::from_slice(&request.body)?)
}
