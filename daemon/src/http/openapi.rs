//! `/openapi.json`, generated from the declarations of the routes.

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
    description = "Errors are problem details (RFC 9457), except where tocsin implements \
                   another API. Overload is 503 with Retry-After; send the request again."
))]
struct ApiInfo;

/// The OpenAPI document of all routes.
fn document() -> utoipa::openapi::OpenApi {
    let mut document = ApiInfo::openapi();
    document.merge(super::routes().into_openapi());
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", scheme);
    for (path, item) in &mut document.paths.paths {
        name_operations(path, item);
    }
    document
}

/// Names an operation by its method and path, as function names are not unique across modules.
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

/// The OpenAPI document, as JSON.
///
/// # Errors
/// When it cannot be serialized.
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
