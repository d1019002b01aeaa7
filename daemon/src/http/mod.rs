//! The HTTP endpoints: everything that comes in.
//!
//! Handlers read the request, check who calls, and pass it on; nothing is decided here. Every
//! failure is answered by one type whose text names the remedy, and a 2xx is answered only once
//! what was accepted is durable.

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
mod serving;
mod write_timeout;

use std::sync::Arc;

use axum::Router;

use crate::app::App;
use problem::{Kind, Problem};

pub use openapi::openapi_json;
pub use serve::{ANSWER_TAKEN_MS_MAX, CONNECTIONS_MAX, HEADER_READ_MS_MAX, Limits};
pub use serving::Serving;

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

/// The endpoints, with the layers around every request.
pub fn router(app: Arc<App>) -> Router {
    let router = Router::from(routes())
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method);
    middleware::around(router, &app).with_state(app)
}

async fn no_such_path() -> Problem {
    Problem::new(
        Kind::NOT_FOUND,
        "there is nothing at this path; /openapi.json lists the paths",
    )
}

async fn no_such_method() -> Problem {
    Problem::new(
        Kind::METHOD,
        "this path does not allow this method; /openapi.json lists the methods",
    )
}

/// Runs a read of the store, which blocks, on a thread where no other request waits for it.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let ran = tokio::task::spawn_blocking(call).await;
    ran.map_err(|error| Problem::new(Kind::INTERNAL, format!("a read: {error}")))?
}

/// A body of so many bytes is parsed where it was read: that takes less time than to find a thread.
const PARSED_AT_ONCE_BYTES_MAX: usize = 16 * 1_024;

/// Parses a body of `bytes`; a large one on a thread where no other request waits for it.
async fn parsing<T: Send + 'static>(
    bytes: usize,
    parse: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    if bytes <= PARSED_AT_ONCE_BYTES_MAX {
        return parse();
    }
    blocking(parse).await
}

/// The id of a request in its answer, in the log, and for the adapters.
#[derive(Clone, Debug)]
struct RequestId(String);

#[cfg(test)]
mod tests;
