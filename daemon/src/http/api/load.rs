//! `/api/v1/oncall/load` and `/hours`: how much people had to do, and how long they were on call.

use std::sync::Arc;

use axum::extract::State;
use utoipa_axum::routes;

use super::oncall::{Asked, desk, read};
use crate::api::{HoursQuery, HoursReport, LoadQuery, LoadReport};
use crate::app::App;
use crate::http::guard::Reader;
use crate::http::problem::Problem;
use crate::http::{Routes, blocking};

pub(in crate::http) fn routes() -> Routes {
    Routes::new().routes(routes!(load)).routes(routes!(hours))
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
    query: Asked<LoadQuery>,
) -> Result<axum::Json<LoadReport>, Problem> {
    let query = read(query)?;
    let report = blocking(move || Ok(desk(&app).load(&query)?));
    Ok(axum::Json(report.await?))
}

/// Shows how long people were on call in a month, and what they had to do in it.
#[utoipa::path(
    get, path = "/api/v1/oncall/hours", tag = "people", params(HoursQuery),
    security(("token" = ["read"])),
    responses(
        (status = 200, description = "Everybody in the configuration", body = HoursReport),
        (status = 422, description = "Nothing is known of this month"),
    )
)]
async fn hours(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
    query: Asked<HoursQuery>,
) -> Result<axum::Json<HoursReport>, Problem> {
    let query = read(query)?;
    let report = blocking(move || Ok(desk(&app).hours(&query)?));
    Ok(axum::Json(report.await?))
}
