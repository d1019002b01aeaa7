//! Middleware for every request: request ID, span, metrics, and the response to a panic.
//!
//! Paths, queries and headers are never logged, as they can contain tokens. A span has the route's
//! template instead.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use super::RequestId;
use super::problem::{Kind, Problem};
use crate::app::App;

/// The response header with the request's ID.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Keeps browsers from guessing another content type.
const NOSNIFF: HeaderName = HeaderName::from_static("x-content-type-options");
/// Routes that are also served while the daemon starts or drains.
const ALWAYS_OPEN: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Adds the middleware to a router.
pub(super) fn around(router: Router<Arc<App>>, app: &Arc<App>) -> Router<Arc<App>> {
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(app), observe))
}

async fn observe(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = uuid::Uuid::now_v7().to_string();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("none", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", id, method = %request.method(), route);
    let is_open = app.is_ready() || ALWAYS_OPEN.contains(&route.as_str());
    let mut response = if is_open {
        request.extensions_mut().insert(RequestId(id.clone()));
        next.run(request).instrument(span).await
    } else {
        Problem::new(Kind::UNAVAILABLE, app.why_not_ready()).into_response()
    };
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(NOSNIFF, HeaderValue::from_static("nosniff"));
    let metrics = &app.metrics;
    metrics.answered(
        &route,
        response.status().as_u16(),
        began.elapsed().as_secs_f64(),
    );
    response
}

/// A panic's message may contain request data, so it is logged and not sent to the caller.
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text.unwrap_or("no message"), "a handler panicked");
    Problem::new(
        Kind::INTERNAL,
        "this is a bug in the daemon; its log has details under the request's ID",
    )
    .into_response()
}
