//! `/healthz`, `/readyz` and `/metrics`.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa_axum::routes;

use super::Routes;
use super::blocking;
use super::guard::Reader;
use super::problem::{Kind, Problem};
use crate::app::App;
use crate::health::Vitals;

/// The media type of OpenMetrics text.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(metrics))
}

/// Liveness: the process is running.
#[utoipa::path(
    get, path = "/healthz", tag = "health", security(),
    responses((status = 200, description = "The process is running"))
)]
async fn healthz() -> &'static str {
    "ok\n"
}

/// Readiness: whether requests are accepted.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(),
    responses(
        (status = 200, description = "Requests are accepted"),
        (status = 503, description = "Requests are not accepted; `detail` says why"),
    )
)]
async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    if app.is_ready() {
        return Ok("ready\n");
    }
    Err(Problem::new(Kind::UNAVAILABLE, app.why_not_ready()))
}

/// Returns the metrics.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    security(("token" = ["read"])),
    responses((status = 200, description = "Metrics in the OpenMetrics text format"))
)]
async fn metrics(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
) -> Result<impl IntoResponse, Problem> {
    let text = blocking(move || {
        let metrics = &app.metrics;
        Vitals::read(&app.health)?.publish(metrics);
        Ok(metrics.text())
    });
    Ok(([(header::CONTENT_TYPE, OPENMETRICS)], text.await?))
}
