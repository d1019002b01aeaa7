//! `/openapi.json`: every route described, from the same lines that handle it.

use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::guard::Reader;
use super::{ack, alertmanager, api, health, hooks, ingest, pagerduty};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "tocsin",
        description = "Errors are problem details (RFC 9457) but where another API's shape is \
                       spoken. Overload is 503 with Retry-After; send it again."
    ),
    paths(
        health::healthz, health::readyz, health::metrics, show,
        ack::show, ack::acknowledge, hooks::webhook,
        ingest::ingest, pagerduty::enqueue, pagerduty::enqueue_change,
        alertmanager::alerts, alertmanager::post_alerts, alertmanager::groups,
        alertmanager::status, alertmanager::receivers, alertmanager::silences,
        alertmanager::post_silence, alertmanager::silence, alertmanager::expire_silence,
        api::incidents::list, api::incidents::open, api::incidents::show, api::incidents::act,
        api::alerts::list, api::oncall::list,
        api::tokens::list, api::tokens::create, api::tokens::revoke,
        api::daemon::plugins, api::daemon::policies, api::daemon::doctor,
    ),
    security(("token" = [])),
    modifiers(&TokenScheme, &Names)
)]
struct Description;

struct TokenScheme;

impl Modify for TokenScheme {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", scheme);
    }
}

/// Names an operation by its method and path: functions of two modules share their names.
struct Names;

impl Modify for Names {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut openapi.paths.paths {
            let operations = [
                ("get", &mut item.get),
                ("post", &mut item.post),
                ("delete", &mut item.delete),
            ];
            for (method, operation) in operations {
                if let Some(operation) = operation {
                    let words = path.split(|it: char| !it.is_ascii_alphanumeric());
                    let words = words.filter(|it| !it.is_empty()).collect::<Vec<_>>();
                    operation.operation_id = Some(format!("{method}-{}", words.join("-")));
                }
            }
        }
    }
}

/// The description of every route, as JSON.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    Description::openapi().to_pretty_json()
}

/// Shows this document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "health",
    responses((status = 200, description = "This document"))
)]
pub(super) async fn show(Reader(_): Reader) -> impl IntoResponse {
    let text = openapi_json().unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text)
}
