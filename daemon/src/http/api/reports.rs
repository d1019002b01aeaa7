//! `/api/v1/reports`: figures over many incidents.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use tocsin_core::{Audience, PromiseCounts};
use utoipa_axum::routes;

use super::oncall::{Asked, read};
use crate::api::{PromiseReport, ReportQuery};
use crate::app::App;
use crate::http::guard::Reader;
use crate::http::problem::Problem;
use crate::http::{Routes, blocking};
use crate::runtime::state::tables::summary;

pub(in crate::http) fn routes() -> Routes {
    Routes::new().routes(routes!(promises))
}

/// Counts how many promised updates came in time.
#[utoipa::path(
    get, path = "/api/v1/reports/promises", tag = "reports", params(ReportQuery),
    security(("token" = ["read"])),
    responses((status = 200, description = "The counts", body = PromiseReport))
)]
async fn promises(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
    query: Asked<ReportQuery>,
) -> Result<axum::Json<PromiseReport>, Problem> {
    let query = read(query)?;
    let report = blocking(move || {
        let since = app.clock.now().minus_ms(query.since.as_ms());
        let last = app.view.last_number()?;
        let (mut incidents, mut counts) = (0, BTreeMap::<Audience, PromiseCounts>::new());
        summary::opened_since(app.store.as_ref(), last, since, |it| {
            if it.is_drill() {
                return;
            }
            incidents += u64::from(!it.promises.is_empty());
            for (audience, those) in &it.promises {
                let all = counts.entry(*audience).or_default();
                *all = all.and(*those);
            }
        })?;
        Ok(PromiseReport::of(since, incidents, &counts))
    });
    Ok(axum::Json(report.await?))
}
