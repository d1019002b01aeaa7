//! PagerDuty's Events API v2. The token is the `routing_key` in the body, so the body is read
//! before the caller is authenticated; its limit is the 512 KiB that the API documents.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use secrecy::ExposeSecret as _;
use secrecy::SecretString;
use tocsin_core::IntegrationId;
use utoipa_axum::routes;

use super::RequestId;
use super::Routes;
use super::body::read_unpacked;
use super::problem::Problem;
use crate::app::App;
use crate::auth::{Scope, Token};
use crate::config::IntegrationKind;
use crate::ingest::Received;
use crate::ingest::pagerduty::{Accepted, ChangeEvent, EVENT_BYTES_MAX, Event, InvalidEvent};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(enqueue))
        .routes(routes!(enqueue_change))
}

/// Accepts an event; `routing_key` is an ingest token of an integration of kind `pagerduty`.
#[utoipa::path(
    post, path = "/v2/enqueue", tag = "ingest",
    request_body(content = Object, description = "As PagerDuty's Events API v2"),
    responses(
        (status = 202, description = "Accepted and durable"),
        (status = 400, description = "`invalid event`, with every fault"),
        (status = 503, description = "Unavailable; send it again"),
    ),
    security()
)]
async fn enqueue(
    State(app): State<Arc<App>>,
    Extension(RequestId(id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = read_unpacked(&headers, body, EVENT_BYTES_MAX).await?;
    let event = match Event::read(&body) {
        Ok(event) => event,
        Err(fault) => return Ok(bad(fault)),
    };
    let Some(integration) = integration(&app, &event.routing_key) else {
        return Ok(bad(InvalidEvent::unknown_routing_key()));
    };
    let ctx = Received::new(integration, app.clock.now(), id);
    let (parsed, dedup_key) = event.into_parsed(&ctx);
    app.intake.take(parsed.signals).await?;
    Ok(accepted(Accepted::event(dedup_key)))
}

/// Accepts a change event, such as a deployment.
///
/// It opens no incident. Open incidents of its services log it, and those that open soon after
/// suspect it.
#[utoipa::path(
    post, path = "/v2/change/enqueue", tag = "ingest",
    request_body(content = Object, description = "As PagerDuty's Events API v2"),
    responses(
        (status = 202, description = "Accepted and durable"),
        (status = 400, description = "`invalid event`, with every fault"),
        (status = 503, description = "Unavailable; send it again"),
    ),
    security()
)]
async fn enqueue_change(
    State(app): State<Arc<App>>,
    Extension(RequestId(id)): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = read_unpacked(&headers, body, EVENT_BYTES_MAX).await?;
    let (routing_key, event) = match ChangeEvent::read(&body) {
        Ok(read) => read,
        Err(fault) => return Ok(bad(fault)),
    };
    let Some(integration) = integration(&app, &routing_key) else {
        return Ok(bad(InvalidEvent::unknown_routing_key()));
    };
    let change = event.into_change(&Received::new(integration, app.clock.now(), id));
    app.intake.take_change(change).await?;
    Ok(accepted(Accepted::change()))
}

fn integration(app: &App, routing_key: &SecretString) -> Option<IntegrationId> {
    let token = Token::parse(routing_key.expose_secret()).ok()?;
    let row = app.tokens.find(&token)?;
    let id = row.integration.as_ref()?;
    let kind = app.config.integrations.get(id)?.kind;
    let may = row.scope == Scope::Ingest && kind == IntegrationKind::Pagerduty;
    may.then(|| id.clone())
}

fn accepted(body: Accepted) -> Response {
    (StatusCode::ACCEPTED, axum::Json(body)).into_response()
}

fn bad(fault: InvalidEvent) -> Response {
    (StatusCode::BAD_REQUEST, axum::Json(fault)).into_response()
}
