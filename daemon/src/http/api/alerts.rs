//! `/api/v1/alerts`: lists alerts in pages, or shows one.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::{Query, State};
use tocsin_core::alert::{Alert, Place};
use tocsin_core::{Fingerprint, IncidentId, IntegrationId};
use utoipa_axum::routes;

use crate::api::{AlertDetail, AlertLine, AlertList, AlertPlace, AlertQuery, SilenceLine};
use crate::app::App;
use crate::disclosure::Clearance;
use crate::http::Routes;
use crate::http::blocking;
use crate::http::guard::Reader;
use crate::http::path::Path;
use crate::http::problem::{Kind, Problem};
use crate::runtime::EngineError;
use crate::runtime::state::tables::alert::ALERTS;
use crate::silence::Silence;
use crate::time::format_time;

/// Default page size.
const LIST_USUAL: usize = 100;
/// Largest page size.
const LIST_MAX: usize = 1_000;

/// Which alerts to show.
pub(in crate::http) struct AlertFilter {
    /// Only firing, only resolved, or both.
    pub(in crate::http) firing: Option<bool>,
    /// Needed for alerts of security incidents.
    pub(in crate::http) clearance: Clearance,
}

pub(in crate::http) fn routes() -> Routes {
    Routes::new().routes(routes!(list)).routes(routes!(show))
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
    let filter = AlertFilter {
        firing: query.firing,
        clearance: holder.caller.clearance,
    };
    let list = blocking(move || {
        let mut alerts = Vec::new();
        let silences = app.silences.in_force(app.clock.now())?.0;
        let next_after = each_alert(&app, &filter, query.after, |alert, incident| {
            let silenced_by = silences_of(&silences, &alert);
            alerts.push(AlertLine::of(alert, incident, &silenced_by));
            alerts.len() < limit
        })?;
        Ok(AlertList { alerts, next_after })
    });
    Ok(axum::Json(list.await?))
}

/// Shows an alert with the reason for its place.
#[utoipa::path(
    get, path = "/api/v1/alerts/{integration}/{fingerprint}", tag = "incidents",
    security(("token" = ["read"])),
    params(
        ("integration" = String, Path, description = "The alert's integration"),
        ("fingerprint" = String, Path, description = "The alert's fingerprint"),
    ),
    responses(
        (status = 200, description = "The alert", body = AlertDetail),
        (status = 404, description = "There is no such alert, or it needs clearance"),
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    Path((integration, fingerprint)): Path<(IntegrationId, Fingerprint)>,
) -> Result<axum::Json<AlertDetail>, Problem> {
    let clearance = holder.caller.clearance;
    let detail = blocking(move || {
        let key = Alert::row_key(&integration, &fingerprint);
        if let Some(row) = ALERTS.get(app.store.as_ref(), &key)? {
            let incident = row.value.incident().map(|id| incident_of(&app, id));
            let incident = incident.transpose()?;
            if incident.is_none_or(|(_, security)| clearance.may_see(security)) {
                let number = incident.map(|(number, _)| number);
                let silences = app.silences.in_force(app.clock.now())?.0;
                let silenced_by = silences_of(&silences, &row.value);
                return Ok(AlertDetail::of(row.value, number, &silenced_by));
            }
        }
        let detail = "there is no alert with this integration and fingerprint; \
                      `tocsin alert list` shows the alerts";
        Err(Problem::new(Kind::NOT_FOUND, detail))
    });
    Ok(axum::Json(detail.await?))
}

/// The silences that match a firing alert.
pub(in crate::http) fn silences_of<'a>(
    silences: &'a [Arc<Silence>],
    alert: &Alert,
) -> Vec<&'a Silence> {
    let all = silences.iter().map(AsRef::as_ref);
    all.filter(|it| alert.firing && it.matches(&alert.labels))
        .collect()
}

/// Passes each alert that matches `filter` to `take`, with its incident's number, until `take`
/// returns false; returns where it stopped. Blocks.
pub(in crate::http) fn each_alert(
    app: &App,
    filter: &AlertFilter,
    after: Option<String>,
    mut take: impl FnMut(Alert, Option<u64>) -> bool,
) -> Result<Option<String>, Problem> {
    let mut incidents: HashMap<IncidentId, (u64, bool)> = HashMap::new();
    let store = app.store.as_ref();
    let stopped = ALERTS.for_each_after(store, after, |_, alert| {
        if filter.firing.is_some_and(|it| it != alert.firing) {
            return Ok(ControlFlow::Continue(()));
        }
        let mut number = None;
        if let Some(id) = alert.incident() {
            let (its, security) = match incidents.get(id) {
                Some(known) => *known,
                None => {
                    let known = incident_of(app, id)?;
                    incidents.insert(id.clone(), known);
                    known
                }
            };
            if !filter.clearance.may_see(security) {
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

/// The number of an alert's incident, and whether it needs clearance.
fn incident_of(app: &App, id: &IncidentId) -> Result<(u64, bool), EngineError> {
    let state = app.view.incident(id)?;
    // If the incident is missing, assume that it needs clearance.
    Ok(state.map_or((0, true), |it| {
        (it.incident.number, it.incident.grading.security)
    }))
}

impl AlertDetail {
    fn of(mut alert: Alert, incident: Option<u64>, silenced_by: &[&Silence]) -> Self {
        let (mut ignored_because, mut waiting_for) = (None, None);
        match &alert.place {
            Place::Incident { .. } | Place::Silenced { .. } => {}
            Place::Ignored { reason, .. } => ignored_because = Some(reason.clone()),
            Place::Waiting { key, .. } => waiting_for = Some(key.to_string()),
        }
        Self {
            summary: std::mem::take(&mut alert.summary),
            annotations: std::mem::take(&mut alert.annotations),
            ignored_because,
            waiting_for,
            waiting_until: alert.waits_until().map(format_time),
            silences: silenced_by.iter().map(|it| SilenceLine::of(it)).collect(),
            first_seen: format_time(alert.first_seen),
            changed_at: format_time(alert.changed_at),
            repeats: alert.repeats,
            line: AlertLine::of(alert, incident, silenced_by),
        }
    }
}

impl AlertLine {
    fn of(alert: Alert, incident: Option<u64>, silenced_by: &[&Silence]) -> Self {
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
            silenced_by: silenced_by.iter().map(|it| it.id.clone()).collect(),
            starts_at: format_time(alert.starts_at),
            last_seen: format_time(alert.last_seen),
            lease_until: alert.lease_until.map(format_time),
        }
    }
}
