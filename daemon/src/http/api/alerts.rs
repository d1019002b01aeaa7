//! `/api/v1/alerts`: every alert that is kept, a page at a time.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::{Query, State};
use tocsin_core::IncidentId;
use tocsin_core::alert::{Alert, Place};
use utoipa_axum::routes;

use crate::api::{AlertLine, AlertList, AlertPlace, AlertQuery};
use crate::app::App;
use crate::disclosure::Clearance;
use crate::http::Routes;
use crate::http::blocking;
use crate::http::guard::Reader;
use crate::http::problem::{Kind, Problem};
use crate::runtime::state::tables::alert::ALERTS;
use crate::time::format_time;

/// Alerts of one list unless the caller asks for fewer or more.
const LIST_USUAL: usize = 100;
/// Most alerts of one list.
const LIST_MAX: usize = 1_000;

/// Which alerts a caller is shown.
pub(in crate::http) struct Shown {
    /// Firing, ended, or both.
    pub(in crate::http) firing: Option<bool>,
    /// Alerts of security incidents are left out without it.
    pub(in crate::http) clearance: Clearance,
}

pub(in crate::http) fn routes() -> Routes {
    Routes::new().routes(routes!(list))
}

/// Lists alerts.
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "incidents", params(AlertQuery),
    security(("token" = ["read"])),
    responses((status = 200, description = "The alerts", body = AlertList))
)]
async fn list(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    query: Result<Query<AlertQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<AlertList>, Problem> {
    let Query(query) = query.map_err(|error| Problem::new(Kind::MALFORMED, error.body_text()))?;
    let limit = query.limit.unwrap_or(LIST_USUAL).clamp(1, LIST_MAX);
    let shown = Shown {
        firing: query.firing,
        clearance: holder.caller.clearance,
    };
    let list = blocking(move || {
        let mut alerts = Vec::new();
        let next_after = each_alert(&app, &shown, query.after, |alert, incident| {
            alerts.push(AlertLine::of(alert, incident));
            alerts.len() < limit
        })?;
        Ok(AlertList { alerts, next_after })
    });
    Ok(axum::Json(list.await?))
}

/// Gives each alert that is shown to `take`, with its incident's number, until it has enough;
/// answers where it stopped. Blocks.
pub(in crate::http) fn each_alert(
    app: &App,
    shown: &Shown,
    after: Option<String>,
    mut take: impl FnMut(Alert, Option<u64>) -> bool,
) -> Result<Option<String>, Problem> {
    let mut incidents: HashMap<IncidentId, (u64, bool)> = HashMap::new();
    let store = app.store.as_ref();
    let stopped = ALERTS.for_each_after(store, after, |_, alert| {
        if shown.firing.is_some_and(|it| it != alert.firing) {
            return Ok(ControlFlow::Continue(()));
        }
        let mut number = None;
        if let Some(id) = alert.incident() {
            let (its, security) = match incidents.get(id) {
                Some(known) => *known,
                None => {
                    let state = app.view.incident(id)?;
                    // An alert whose incident is gone is nobody's secret to show.
                    let known = state.map_or((0, true), |it| {
                        (it.incident.number, it.incident.grading.security)
                    });
                    incidents.insert(id.clone(), known);
                    known
                }
            };
            if !shown.clearance.may_see(security) {
                return Ok(ControlFlow::Continue(()));
            }
            number = Some(its);
        }
        Ok(match take(alert, number) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    });
    Ok(stopped?)
}

impl AlertLine {
    fn of(alert: Alert, incident: Option<u64>) -> Self {
        Self {
            integration: alert.integration.0,
            fingerprint: alert.fingerprint.0,
            firing: alert.firing,
            title: alert.title,
            labels: alert.labels,
            link: alert.link,
            place: match alert.place {
                Place::Incident { .. } => AlertPlace::Incident,
                Place::Ignored { .. } => AlertPlace::Ignored,
                Place::Waiting { .. } => AlertPlace::Waiting,
                Place::Silenced { .. } => AlertPlace::Silenced,
            },
            incident,
            starts_at: format_time(alert.starts_at),
            last_seen: format_time(alert.last_seen),
            lease_until: alert.lease_until.map(format_time),
        }
    }
}
