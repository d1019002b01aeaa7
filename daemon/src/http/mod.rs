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
mod middleware;
mod openapi;
mod pagerduty;
mod path;
mod problem;
mod repeats;
mod serve;
mod write_timeout;

use std::sync::Arc;

use axum::Router;

use crate::app::App;
use problem::{Kind, Problem};

pub use openapi::openapi_json;
pub use serve::{
    ANSWER_TAKEN_MS_MAX, CONNECTIONS_MAX, HEADER_READ_MS_MAX, Limits, serve, serve_within,
};

/// Routes with their description. A route is declared once, beside its handler; what the router
/// answers, what `/openapi.json` says and which scope the tests ask for are all made of that.
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

/// The endpoints with what surrounds them.
pub fn router(app: Arc<App>) -> Router {
    let router = Router::from(routes())
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method);
    middleware::around(router, &app).with_state(app)
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
