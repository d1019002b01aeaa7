//! The HTTP endpoints.
//!
//! Handlers parse the request, authenticate the caller and pass the request on; they decide
//! nothing about incidents. Every failure is a `Problem` that names the remedy, and a 2xx is
//! sent only once what was accepted is durable.

mod ack;
mod alertmanager;
mod api;
mod body;
mod connection_limiter;
mod guard;
mod health;
mod hooks;
mod ingest;
mod middleware;
mod openapi;
mod pagerduty;
mod path;
mod problem;
mod serve;
mod serving;
mod sns;
mod write_timeout;

use std::sync::Arc;

use axum::Router;

use crate::app::App;
use problem::{Kind, Problem};

pub use openapi::openapi_json;
pub use serve::{CONNECTIONS_MAX, HEADER_READ_MS_MAX, Limits, RESPONSE_READ_MS_MAX};
pub use serving::Serving;

/// Routes with their descriptions. A route is declared once, next to its handler; the router,
/// `/openapi.json` and the tests of scopes all use that declaration.
type Routes = utoipa_axum::router::OpenApiRouter<Arc<App>>;

/// Every endpoint of a daemon.
fn routes() -> Routes {
    Routes::new()
        .merge(health::routes())
        .merge(openapi::routes())
        .merge(ack::routes())
        .merge(hooks::routes())
        .merge(ingest::routes())
        .merge(pagerduty::routes())
        .merge(alertmanager::routes())
        .merge(api::routes())
}

/// The router with its middleware.
pub fn router(app: Arc<App>) -> Router {
    let router = Router::from(routes())
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method);
    middleware::around(router, &app).with_state(app)
}

async fn no_such_path() -> Problem {
    Problem::new(
        Kind::NOT_FOUND,
        "unknown path; /openapi.json lists the paths",
    )
}

async fn no_such_method() -> Problem {
    Problem::new(Kind::METHOD, "/openapi.json lists the methods of this path")
}

/// Runs a blocking read of the store on a thread for blocking work.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let ran = tokio::task::spawn_blocking(call).await;
    ran.map_err(|error| Problem::new(Kind::INTERNAL, format!("the read did not finish: {error}")))?
}

/// Bodies up to this many bytes are parsed inline, which is faster than a switch of threads.
const PARSED_AT_ONCE_BYTES_MAX: usize = 16 * 1_024;

/// Parses a body of `bytes`; a large one on a thread for blocking work.
async fn parsing<T: Send + 'static>(
    bytes: usize,
    parse: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    if bytes <= PARSED_AT_ONCE_BYTES_MAX {
        return parse();
    }
    blocking(parse).await
}

/// The ID of a request, in its response, the log and ingested data.
#[derive(Clone, Debug)]
struct RequestId(String);

#[cfg(test)]
mod tests;
