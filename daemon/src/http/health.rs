//! Is it alive, is it ready, and how is it doing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use tocsin_core::Timestamp;
use tocsin_store::{Class, OutboxKey};

use super::blocking;
use super::guard::Reader;
use super::problem::{Kind, Problem};
use crate::app::App;

/// The media type of the metrics' text.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Most overdue timers that are counted, and rows of the outbox that one read brings.
const COUNTED_MAX: usize = 1_000;
/// Most pages of the outbox that are looked at for the oldest.
const PAGES_LOOKED_AT_MAX: usize = 10_000;

/// Says that the process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "health", security(),
    responses((status = 200, description = "It lives"))
)]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Says whether requests are taken.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(),
    responses(
        (status = 200, description = "Requests are taken"),
        (status = 503, description = "They are not; `detail` says why"),
    )
)]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    if app.is_ready() {
        return Ok("ready\n");
    }
    let why = match app.runtime.writer.failure() {
        Some(error) => error.to_string(),
        None => "the daemon is starting or draining".to_owned(),
    };
    Err(Problem::new(Kind::UNAVAILABLE, why))
}

/// Shows the metrics.
#[utoipa::path(
    get, path = "/metrics", tag = "health",
    responses((status = 200, description = "In the text format of OpenMetrics"))
)]
pub(super) async fn metrics(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
) -> Result<impl IntoResponse, Problem> {
    let text = blocking(move || {
        refresh(&app)?;
        Ok(app.runtime.metrics.text())
    });
    Ok(([(header::CONTENT_TYPE, OPENMETRICS)], text.await?))
}

fn refresh(app: &App) -> Result<(), Problem> {
    let (runtime, now) = (&app.runtime, app.runtime.clock.now());
    let metrics = &runtime.metrics;
    let active = runtime.view.held();
    let active = active.iter().filter(|it| it.incident.is_active()).count();
    metrics.incidents_active.set(gauge(active));
    let firing = usize::try_from(runtime.leases.firing());
    metrics
        .alerts_firing
        .set(gauge(firing.unwrap_or(usize::MAX)));
    metrics.writer_queued.set(gauge(runtime.writer.queued()));
    let overdue = runtime.store.timers_due(now, COUNTED_MAX)?;
    metrics.timers_overdue.set(gauge(overdue.len()));
    let bytes = usize::try_from(runtime.store.size_bytes()?);
    metrics.store_bytes.set(gauge(bytes.unwrap_or(usize::MAX)));
    metrics.oldest_page_seconds.set(oldest_page(app, now)?);
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the age of a page in milliseconds is far below 2^52"
)]
fn oldest_page(app: &App, now: Timestamp) -> Result<f64, Problem> {
    let mut oldest: Option<Timestamp> = None;
    let mut after: Option<OutboxKey> = None;
    let mut looked_at = 0;
    while looked_at < PAGES_LOOKED_AT_MAX {
        let rows = app
            .runtime
            .store
            .outbox(Class::Page, after.as_ref(), COUNTED_MAX)?;
        looked_at += rows.len();
        let is_last = rows.len() < COUNTED_MAX;
        for row in rows {
            oldest = Some(oldest.map_or(row.created_at, |it| it.min(row.created_at)));
            after = Some(row.key);
        }
        if is_last {
            break;
        }
    }
    Ok(oldest.map_or(0.0, |at| now.since(at) as f64 / 1_000.0))
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
