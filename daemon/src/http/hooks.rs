//! `/hooks/{plugin}/{route}`: webhooks of plugins. The plugin host authenticates the sender, and
//! what the plugin queued is durable before the sender is answered.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tocsin_core::PluginId;
use tocsin_plugin_host::wit::WebhookResponse;
use tocsin_plugin_host::{EnqueuedJob, Failure, WebhookCall};
use tocsin_store::CommitError;
use utoipa_axum::router::UtoipaMethodRouterExt as _;
use utoipa_axum::routes;

use super::Routes;
use super::body::read_raw;
use super::path::Path;
use super::problem::{Kind, Problem};
use super::repeats::{self, Repeat, Try};
use crate::app::App;
use crate::runtime::{EngineError, Request as Ask, Write, job_row};

/// Headers that a plugin may set in its answer, besides those that begin with `x-`.
const ANSWER_HEADERS: [HeaderName; 3] =
    [header::CONTENT_TYPE, header::LOCATION, header::RETRY_AFTER];
/// Keeps a plugin's answer from running as a page of the daemon's origin.
const SANDBOX: &str = "sandbox; default-src 'none'";
const REPLAYED: StatusCode = StatusCode::CONFLICT;
/// Why a request that was handled before is refused.
const REPLAY: &str = "this request was handled before, and its sender has not signed it again: \
                      it is a replay";

/// Any method: a plugin declares which methods its webhook has.
pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(webhook).map(|_| axum::routing::any(webhook)))
}

/// Passes a webhook to its plugin after checking the sender's signature.
#[utoipa::path(
    post, path = "/hooks/{plugin}/{route}", tag = "hooks",
    params(
        ("plugin" = String, Path, description = "The plugin's id"),
        ("route" = String, Path, description = "One of its webhook routes"),
    ),
    responses(
        (status = 200, description = "The plugin's answer"),
        (status = 404, description = "No such plugin or route"),
        (status = 503, description = "Unavailable; send it again"),
    ),
    security()
)]
async fn webhook(
    State(app): State<Arc<App>>,
    Path((plugin, route)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let unknown = || {
        let detail = "there is no such webhook; `tocsin plugin inspect` shows a plugin's webhooks";
        Problem::new(Kind::NOT_FOUND, detail)
    };
    let loaded = app.host.get(&plugin).ok_or_else(unknown)?;
    let bytes_max = loaded
        .webhook_body_bytes_max(&route)
        .map_err(|_| unknown())?;
    let (parts, body) = request.into_parts();
    let body = read_raw(body, bytes_max).await?;
    let headers = parts.headers.iter();
    let path_and_query = parts.uri.path_and_query();
    let path_and_query = path_and_query.map_or_else(|| parts.uri.path(), |it| it.as_str());
    let call = WebhookCall {
        route,
        method: parts.method.as_str().to_owned(),
        url: format!("{}{path_and_query}", app.config.server.base_url()),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: body.to_vec(),
    };
    // Spawned, so that the call finishes even if the sender hangs up.
    let handled = tokio::spawn(async move {
        let checked = loaded.check_webhook(call);
        let checked = checked.map_err(|failure| failed(&plugin, &failure))?;
        let attempt = Try::of(&checked);
        if let Some(answer) = earlier(&app, &plugin, attempt.as_ref()).await? {
            return Ok(shown(answer));
        }
        let result = loaded.handle_webhook(checked).await;
        match result.outcome {
            Ok(answer) => {
                let jobs = result.jobs;
                let answer = commit(&app, PluginId(plugin), jobs, attempt, answer).await?;
                Ok(shown(answer))
            }
            Err(failure) => Err(failed(&plugin, &failure)),
        }
    });
    let handled = handled.await;
    handled.map_err(|error| {
        let detail = format!("the webhook did not finish: {error}");
        Problem::new(Kind::INTERNAL, detail)
    })?
}

/// The answer of an earlier try of this webhook.
///
/// # Errors
/// When this one is a replay.
async fn earlier(
    app: &Arc<App>,
    plugin: &str,
    attempt: Option<&Try>,
) -> Result<Option<WebhookResponse>, Problem> {
    let Some(attempt) = attempt else {
        return Ok(None);
    };
    match repeats::repeat_of(app, attempt).await? {
        Repeat::No => Ok(None),
        Repeat::Retry(answer) => {
            tracing::info!(plugin, "a repeated webhook gets the first answer");
            Ok(Some(answer))
        }
        Repeat::Replay => {
            let (status, reason) = (REPLAYED.as_u16(), REPLAY.to_owned());
            Err(failed(plugin, &Failure::Refused { status, reason }))
        }
    }
}

/// Commits what the plugin queued, and its answer for retries. When a concurrent try of the same
/// webhook was committed first, its answer is returned and nothing is queued twice.
async fn commit(
    app: &Arc<App>,
    plugin: PluginId,
    jobs: Vec<EnqueuedJob>,
    attempt: Option<Try>,
    answer: WebhookResponse,
) -> Result<WebhookResponse, Problem> {
    let now = app.clock.now();
    let rows = jobs.into_iter().map(|job| job_row(&plugin, job, now));
    let mut write = Write {
        outbox: rows.collect(),
        ..Write::default()
    };
    if let Some(attempt) = &attempt {
        repeats::remember(&mut write, app, attempt, &answer, now).await?;
    }
    if write.outbox.is_empty() && write.rows.is_empty() {
        return Ok(answer);
    }
    let asked = app.writer.offer(Ask::Write(Box::new(write)));
    match asked.await {
        Err(EngineError::Commit(CommitError::Conflict { .. })) => {
            // If the other try's answer has been swept already, nothing of this one was
            // committed either, so the sender must retry.
            let faster = earlier(app, &plugin.0, attempt.as_ref()).await?;
            let again = "the same webhook was being handled; send it again";
            faster.ok_or_else(|| Problem::new(Kind::UNAVAILABLE, again))
        }
        Err(error) => Err(error.into()),
        Ok(_) => Ok(answer),
    }
}

fn shown(answer: WebhookResponse) -> Response {
    let status = StatusCode::from_u16(answer.status).ok();
    let status = status.filter(|it| it.as_u16() >= 200 && it.as_u16() < 600);
    let Some(status) = status else {
        tracing::warn!(
            status = answer.status,
            "a plugin answered with a status that is not valid"
        );
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, Body::from(answer.body)).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for it in answer.headers {
        let name = HeaderName::try_from(it.name.to_ascii_lowercase());
        let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(it.value)) else {
            continue;
        };
        if ANSWER_HEADERS.contains(&name) || name.as_str().starts_with("x-") {
            headers.append(name, value);
        }
    }
    let sandbox = HeaderValue::from_static(SANDBOX);
    headers.insert(header::CONTENT_SECURITY_POLICY, sandbox);
    response
}

/// Details of a plugin's failure are logged; the sender learns only whether to retry.
fn failed(plugin: &str, failure: &Failure) -> Problem {
    if let Failure::Refused { status, reason } = failure {
        tracing::warn!(plugin, status, reason, "a webhook was refused");
        return Problem::with_status(*status, reason.clone());
    }
    tracing::error!(plugin, %failure, "a webhook failed");
    if failure.retryable() {
        Problem::new(
            Kind::UNAVAILABLE,
            "the plugin is temporarily unavailable; send it again",
        )
    } else {
        Problem::new(Kind::INTERNAL, "the plugin could not handle it")
    }
}
