//! `/api/v1/plugins`, `/api/v1/policies` and `/api/v1/doctor`: what is loaded, and the daemon's
//! health.

use std::sync::Arc;

use axum::extract::State;
use tocsin_policy::Reports;
use utoipa_axum::routes;

use crate::api::{Health, PluginFault, PluginList, PolicyState};
use crate::app::App;
use crate::health::{self, Vitals};
use crate::http::Routes;
use crate::http::blocking;
use crate::http::guard::Reader;
use crate::http::problem::Problem;
use crate::time::format_time;

pub(in crate::http) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(plugins))
        .routes(routes!(policies))
        .routes(routes!(doctor))
}

/// Runs the health checks.
#[utoipa::path(
    get, path = "/api/v1/doctor", tag = "daemon",
    security(("token" = ["read"])),
    responses((status = 200, description = "The result, good or bad", body = Health))
)]
async fn doctor(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
) -> Result<axum::Json<Health>, Problem> {
    let vitals = blocking(move || Ok(Vitals::read(&app.health)?)).await?;
    let checks = health::checks(&vitals);
    Ok(axum::Json(Health {
        level: health::worst(&checks),
        at: format_time(vitals.at),
        checks,
    }))
}

/// Lists the plugins.
#[utoipa::path(
    get, path = "/api/v1/plugins", tag = "daemon",
    security(("token" = ["read"])),
    responses((status = 200, description = "The plugins", body = PluginList))
)]
async fn plugins(State(app): State<Arc<App>>, Reader(_): Reader) -> axum::Json<PluginList> {
    let faults = app.plugin_faults.iter().map(|(plugin, why)| PluginFault {
        plugin: plugin.clone(),
        why: why.clone(),
    });
    axum::Json(PluginList {
        plugins: app.host.catalog(),
        faults: faults.collect(),
    })
}

/// Shows the policies.
#[utoipa::path(
    get, path = "/api/v1/policies", tag = "daemon",
    security(("token" = ["read"])),
    responses((status = 200, description = "The policies", body = PolicyState))
)]
async fn policies(State(app): State<Arc<App>>, Reader(_): Reader) -> axum::Json<PolicyState> {
    let faults = app.policies.faults();
    axum::Json(PolicyState {
        hash: app.policies.hash(),
        path: app.config.policy.path.display().to_string(),
        text: faults.as_ref().map(ToString::to_string),
        faults: faults.unwrap_or(Reports(Vec::new())),
    })
}
