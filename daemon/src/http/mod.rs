//! The doors: everything that comes in by HTTP.
//!
//! Handlers read, ask who calls, and pass on; what is decided is decided behind them. Whatever
//! fails is answered by one type, in words that name the remedy, and an answer that something
//! was taken is given only once it is durable.

mod ack;
mod alertmanager;
mod api;
mod body;
mod connection_limiter;
mod guard;
mod health;
mod hooks;
mod ingest;
mod layers;
mod openapi;
mod pagerduty;
mod path;
mod problem;
mod repeats;
mod serve;
mod write_timeout;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::app::App;
use problem::{Kind, Problem};

pub use openapi::openapi_json;
pub use serve::{
    ANSWER_TAKEN_MS_MAX, CONNECTIONS_MAX, HEADER_READ_MS_MAX, Limits, serve, serve_within,
};

/// Every door of a daemon.
pub fn router(app: Arc<App>) -> Router {
    let router = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::show))
        .route("/ack/{token}", get(ack::show).post(ack::acknowledge))
        .route(
            "/hooks/{plugin}/{route}",
            axum::routing::any(hooks::webhook),
        )
        .route("/ingest/{integration}", post(ingest::ingest))
        .route("/v2/enqueue", post(pagerduty::enqueue))
        .route("/v2/change/enqueue", post(pagerduty::enqueue_change));
    let router = alertmanager_routes(router);
    let router = api_routes(router);
    let router = router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method);
    layers::around(router, &app).with_state(app)
}

fn alertmanager_routes(router: Router<Arc<App>>) -> Router<Arc<App>> {
    router
        .route(
            "/api/v2/alerts",
            get(alertmanager::alerts).post(alertmanager::post_alerts),
        )
        .route("/api/v2/alerts/groups", get(alertmanager::groups))
        .route("/api/v2/status", get(alertmanager::status))
        .route("/api/v2/receivers", get(alertmanager::receivers))
        .route(
            "/api/v2/silences",
            get(alertmanager::silences).post(alertmanager::post_silence),
        )
        .route(
            "/api/v2/silence/{id}",
            get(alertmanager::silence).delete(alertmanager::expire_silence),
        )
}

fn api_routes(router: Router<Arc<App>>) -> Router<Arc<App>> {
    router
        .route(
            "/api/v1/incidents",
            get(api::incidents::list).post(api::incidents::open),
        )
        .route("/api/v1/incidents/{number}", get(api::incidents::show))
        .route(
            "/api/v1/incidents/{number}/actions",
            post(api::incidents::act),
        )
        .route("/api/v1/alerts", get(api::alerts::list))
        .route("/api/v1/oncall", get(api::oncall::list))
        .route(
            "/api/v1/tokens",
            get(api::tokens::list).post(api::tokens::create),
        )
        .route("/api/v1/tokens/{id}", delete(api::tokens::revoke))
        .route("/api/v1/plugins", get(api::daemon::plugins))
        .route("/api/v1/policies", get(api::daemon::policies))
        .route("/api/v1/doctor", get(api::daemon::doctor))
}

async fn no_such_path() -> Problem {
    Problem::new(
        Kind::NOT_FOUND,
        "there is nothing at this path; /openapi.json lists what there is",
    )
}

async fn no_such_method() -> Problem {
    Problem::new(
        Kind::METHOD,
        "the path is there, but not for this method; /openapi.json lists what there is",
    )
}

/// Runs what reads the store, which blocks, beside the tasks that answer.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let ran = tokio::task::spawn_blocking(call).await;
    ran.map_err(|error| Problem::new(Kind::INTERNAL, format!("a read: {error}")))?
}

/// A body of so many bytes is parsed where it was read: that takes less time than to find a thread.
const PARSED_AT_ONCE_BYTES_MAX: usize = 16 * 1_024;

/// Runs what parses a body of `bytes`: a large one beside the tasks that answer.
async fn parsing<T: Send + 'static>(
    bytes: usize,
    parse: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    if bytes <= PARSED_AT_ONCE_BYTES_MAX {
        return parse();
    }
    blocking(parse).await
}

/// What names a request in its answer, in the log, and to the adapters.
#[derive(Clone, Debug)]
struct RequestId(String);

#[cfg(test)]
mod tests;
