//! `/api/v1/plugins`, `/api/v1/policies` and `/api/v1/doctor`: what is loaded, how the daemon
//! does, and what is wrong with it.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::app::App;
use crate::health::{self, Check, Level, Vitals};
use crate::http::blocking;
use crate::http::guard::Reader;
use crate::http::problem::{Kind, Problem};
use crate::time::format_time;

/// The plugins.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginList {
    /// Those that are loaded: id, version, state, rights, limits, last fault.
    #[schema(value_type = Vec<Object>)]
    plugins: Value,
    /// Those that could not be loaded.
    faults: Vec<PluginFault>,
}

/// A plugin that could not be loaded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PluginFault {
    plugin: String,
    /// Why, with the remedy.
    why: String,
}

/// The policies.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyState {
    /// The hash of the set in force; none when none ever loaded, so that every alert pages by
    /// the fallback.
    hash: Option<String>,
    /// Where they are read from.
    path: String,
    /// What is wrong with the folder now.
    #[schema(value_type = Vec<Object>)]
    faults: Value,
    /// The same as text for a terminal.
    text: Option<String>,
}

/// How the daemon does.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// The worst level below.
    level: Level,
    /// When it was looked at.
    at: String,
    /// Everything that was looked at, the worst first.
    checks: Vec<Check>,
}

/// Looks at how the daemon does, right now.
#[utoipa::path(
    get, path = "/api/v1/doctor", tag = "daemon",
    responses((status = 200, description = "How it does, well or not", body = Health))
)]
pub(crate) async fn doctor(
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

/// Shows the plugins.
#[utoipa::path(
    get, path = "/api/v1/plugins", tag = "daemon",
    responses((status = 200, description = "The plugins", body = PluginList))
)]
pub(crate) async fn plugins(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
) -> Result<axum::Json<PluginList>, Problem> {
    let faults = app.plugin_faults.iter().map(|(plugin, why)| PluginFault {
        plugin: plugin.clone(),
        why: why.clone(),
    });
    Ok(axum::Json(PluginList {
        plugins: value(&app.host.catalog())?,
        faults: faults.collect(),
    }))
}

/// Shows the policies.
#[utoipa::path(
    get, path = "/api/v1/policies", tag = "daemon",
    responses((status = 200, description = "The policies", body = PolicyState))
)]
pub(crate) async fn policies(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
) -> Result<axum::Json<PolicyState>, Problem> {
    let faults = app.policies.faults();
    let none = Value::Array(Vec::new());
    Ok(axum::Json(PolicyState {
        hash: app.policies.hash(),
        path: app.config.policy.path.display().to_string(),
        faults: faults.as_ref().map_or(Ok(none), value)?,
        text: faults.map(|it| it.to_string()),
    }))
}

fn value(it: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(it).map_err(|error| Problem::new(Kind::INTERNAL, error.to_string()))
}
