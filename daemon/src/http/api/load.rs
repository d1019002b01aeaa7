//! `/api/v1/oncall/load`: how much people had to do.

use std::sync::Arc;

use axum::extract::{Query, State};
use utoipa_axum::routes;

use super::oncall::desk;
use crate::api::{LoadQuery, LoadReport};
use crate::app::App;
use crate::http::guard::Reader;
use crate::http::problem::{Kind, Problem};
use crate::http::{Routes, blocking};

pub(in crate::http) fn routes() -> Routes {
    Routes::new().routes(routes!(load))
}

/// Shows how much people had to do, and how unequally that is shared.
#[utoipa::path(
    get, path = "/api/v1/oncall/load", tag = "people", params(LoadQuery),
    security(("token" = ["read"])),
    responses(
        (status = 200, description = "Who had the most to do first", body = LoadReport),
        (status = 422, description = "There is no such team"),
    )
)]
async fn load(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
    query: Result<Query<LoadQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<LoadReport>, Problem> {
    let Query(query) = query.map_err(|error| Problem::new(Kind::MALFORMED, error.body_text()))?;
    let report = blocking(move || Ok(desk(&app).load(&query)?));
    Ok(axum::Json(report.await?))
}
