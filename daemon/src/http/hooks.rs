//! `/hooks/{plugin}/{route}`: webhooks of plugins. The plugin host authenticates the sender, and
//! what the plugin queued is durable before the sender is answered.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tocsin_plugin_host::wit::WebhookResponse;
use tocsin_plugin_host::{Failure, WebhookCall};
use utoipa_axum::router::UtoipaMethodRouterExt as _;
use utoipa_axum::routes;

use super::Routes;
use super::body::read_raw;
use super::path::Path;
use super::problem::{Kind, Problem};
use crate::app::App;
use crate::runtime::NotHandled;

/// Headers that a plugin may set in its answer, besides those that begin with `x-`.
const ANSWER_HEADERS: [HeaderName; 3] =
    [header::CONTENT_TYPE, header::LOCATION, header::RETRY_AFTER];
/// Keeps a plugin's answer from running as a page of the daemon's origin.
const SANDBOX: &str = "sandbox; default-src 'none'";
const REPLAYED: StatusCode = StatusCode::CONFLICT;

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
        let handled = app.inbound.handle(&loaded, checked).await;
        handled
            .map(shown)
            .map_err(|error| not_handled(&plugin, error))
    });
    let handled = handled.await;
    handled.map_err(|error| {
        let detail = format!("the webhook did not finish: {error}");
        Problem::new(Kind::INTERNAL, detail)
    })?
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

fn not_handled(plugin: &str, error: NotHandled) -> Problem {
    let why = error.to_string();
    match error {
        NotHandled::Replay => {
            let status = REPLAYED.as_u16();
            failed(
                plugin,
                &Failure::Refused {
                    status,
                    reason: why,
                },
            )
        }
        NotHandled::Concurrent => Problem::new(Kind::UNAVAILABLE, why),
        NotHandled::Failed(failure) => failed(plugin, &failure),
        NotHandled::Engine(error) => error.into(),
    }
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
