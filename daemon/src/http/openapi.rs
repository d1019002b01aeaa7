//! `/openapi.json`: every route described, from the same lines that handle it.

use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;
use utoipa::openapi::PathItem;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::routes;

use super::Routes;
use super::guard::Reader;

#[derive(OpenApi)]
#[openapi(info(
    title = "tocsin",
    description = "Errors are problem details (RFC 9457) but where another API's shape is \
                   spoken. Overload is 503 with Retry-After; send it again."
))]
struct Frame;

/// The document of every route.
fn document() -> utoipa::openapi::OpenApi {
    let mut document = Frame::openapi();
    document.merge(super::routes().into_openapi());
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", scheme);
    for (path, item) in &mut document.paths.paths {
        name_operations(path, item);
    }
    document
}

/// Names an operation by its method and path: functions of two modules share their names.
fn name_operations(path: &str, item: &mut PathItem) {
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

/// The description of every route, as JSON.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn openapi_json() -> Result<String, serde_json::Error> {
    document().to_pretty_json()
}

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(show))
}

/// Shows this document.
#[utoipa::path(
    get, path = "/openapi.json", tag = "health",
    security(("token" = ["read"])),
    responses((status = 200, description = "This document"))
)]
async fn show(Reader(_): Reader) -> impl IntoResponse {
    let text = openapi_json().unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json")], text)
}
