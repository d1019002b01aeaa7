//! `/api/v1/alerts`: lists alerts in pages, or shows one.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::{Query, State};
use tocsin_core::alert::{Alert, Place};
use tocsin_core::command::Refusal;
use tocsin_core::{Fingerprint, IncidentId, IntegrationId, Status, Timestamp};
use utoipa_axum::routes;

use crate::actions::Caller;
use crate::api::{
    AlertDetail, AlertEnd, AlertLine, AlertList, AlertPlace, AlertQuery, Outcome, PolicyLine,
    SilenceLine,
};
use crate::app::App;
use crate::disclosure::Clearance;
use crate::http::Routes;
use crate::http::blocking;
use crate::http::body::Json;
use crate::http::guard::{Reader, Responder};
use crate::http::path::Path;
use crate::http::problem::{Kind, Problem};
use crate::runtime::EngineError;
use crate::runtime::state::tables::alert::ALERTS;
use crate::silence::Silence;
use crate::time::format_time;

/// The channel of what people do through the API.
const VIA: &str = "api";
/// Default page size.
const LIST_USUAL: usize = 100;
/// Largest page size.
const LIST_MAX: usize = 1_000;

/// What an alert shows of its incident.
#[derive(Clone)]
pub(in crate::http) struct Home {
    pub(super) number: u64,
    pub(super) security: bool,
    status: Option<Status>,
    resolved_by: Option<String>,
    reopens_at: Option<Timestamp>,
}

/// Which alerts to show.
pub(in crate::http) struct AlertFilter {
    /// Only firing, only resolved, or both.
    pub(in crate::http) firing: Option<bool>,
    /// Needed for alerts of security incidents.
    pub(in crate::http) clearance: Clearance,
}

pub(in crate::http) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(resolve))
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
        let next_after = each_alert(&app, &filter, query.after, |alert, home| {
            let silenced_by = silences_of(&silences, &alert);
            alerts.push(AlertLine::of(alert, home, &silenced_by));
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
            let home = row.value.incident().map(|id| incident_of(&app, id));
            let home = home.transpose()?;
            if home
                .as_ref()
                .is_none_or(|it| clearance.may_see(it.security))
            {
                let silences = app.silences.in_force(app.clock.now())?.0;
                let silenced_by = silences_of(&silences, &row.value);
                return Ok(AlertDetail::of(row.value, home.as_ref(), &silenced_by));
            }
        }
        Err(EngineError::from(Refusal::Unseen).into())
    });
    Ok(axum::Json(detail.await?))
}

/// Ends an alert that its sender never ends. If the sender mentions it again, it fires again.
#[utoipa::path(
    post, path = "/api/v1/alerts/{integration}/{fingerprint}/resolve", tag = "incidents",
    security(("token" = ["respond"])),
    request_body = AlertEnd,
    params(
        ("integration" = String, Path, description = "The alert's integration"),
        ("fingerprint" = String, Path, description = "The alert's fingerprint"),
    ),
    responses(
        (status = 200, description = "The alert is over, durably", body = Outcome),
        (status = 404, description = "There is no such alert, or it needs clearance"),
        (status = 503, description = "Unavailable; send it again"),
    )
)]
async fn resolve(
    State(app): State<Arc<App>>,
    Responder(holder): Responder,
    Path((integration, fingerprint)): Path<(IntegrationId, Fingerprint)>,
    Json(end): Json<AlertEnd>,
) -> Result<axum::Json<Outcome>, Problem> {
    let key = Alert::row_key(&integration, &fingerprint);
    let Caller { by, clearance, .. } = holder.caller;
    let reason = end.reason.unwrap_or_else(|| format!("via {VIA}"));
    let may_see = clearance.may_see(true);
    let ended = app.intake.end_alert(key, by, may_see, reason).await?;
    Ok(axum::Json(ended.into()))
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

/// Passes each alert that matches `filter` to `take`, with its incident, until `take` returns
/// false; returns where it stopped. Blocks.
pub(in crate::http) fn each_alert(
    app: &App,
    filter: &AlertFilter,
    after: Option<String>,
    mut take: impl FnMut(Alert, Option<&Home>) -> bool,
) -> Result<Option<String>, Problem> {
    let mut incidents: HashMap<IncidentId, Home> = HashMap::new();
    let store = app.store.as_ref();
    let stopped = ALERTS.for_each_after(store, after, |_, alert| {
        if filter.firing.is_some_and(|it| it != alert.firing) {
            return Ok(ControlFlow::Continue(()));
        }
        let mut home = None;
        if let Some(id) = alert.incident() {
            if !incidents.contains_key(id) {
                incidents.insert(id.clone(), incident_of(app, id)?);
            }
            home = incidents.get(id);
            if home.is_some_and(|it| !filter.clearance.may_see(it.security)) {
                return Ok(ControlFlow::Continue(()));
            }
        }
        Ok(match take(alert, home) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    });
    Ok(stopped?)
}

/// An alert's incident. One that is missing is assumed to need clearance.
pub(super) fn incident_of(app: &App, id: &IncidentId) -> Result<Home, EngineError> {
    let Some(state) = app.view.incident(id)? else {
        return Ok(Home {
            number: 0,
            security: true,
            status: None,
            resolved_by: None,
            reopens_at: None,
        });
    };
    let (incident, tally) = state.parts();
    let resolve = incident.lifecycle.resolved_by_hand();
    let resolve = resolve.filter(|_| !incident.is_active());
    Ok(Home {
        number: incident.number,
        security: incident.grading.security,
        status: Some(incident.lifecycle.status),
        resolved_by: resolve.map(|it| it.by.to_string()),
        reopens_at: tally.reopen_due,
    })
}

impl AlertDetail {
    fn of(mut alert: Alert, home: Option<&Home>, silenced_by: &[&Silence]) -> Self {
        let (mut ignored_because, mut waiting_for) = (None, None);
        match &alert.place {
            Place::Incident { .. } | Place::Silenced { .. } | Place::Expected {} => {}
            Place::Ignored { reason, .. } => ignored_because = Some(reason.clone()),
            Place::Waiting { key, .. } => waiting_for = Some(key.to_string()),
        }
        let again_at = alert.kept_out_while().flatten().and_then(|it| it.flips_at);
        let reopens_at = home.and_then(|it| it.reopens_at);
        let reopens_at = reopens_at.filter(|_| alert.firing);
        Self {
            summary: std::mem::take(&mut alert.summary),
            annotations: std::mem::take(&mut alert.annotations),
            route_reason: alert.routed_by.as_ref().map(|it| it.reason.clone()),
            routed_by: alert
                .routed_by
                .as_ref()
                .map(|it| PolicyLine::of(&it.source)),
            routed_again_at: again_at.map(format_time),
            ignored_because,
            waiting_for,
            waiting_until: alert.waits_until().map(format_time),
            silences: silenced_by.iter().map(|it| SilenceLine::of(it)).collect(),
            first_seen: format_time(alert.first_seen),
            changed_at: format_time(alert.changed_at),
            repeats: alert.repeats,
            incident_resolved_by: home.and_then(|it| it.resolved_by.clone()),
            incident_reopens_at: reopens_at.map(format_time),
            line: AlertLine::of(alert, home, silenced_by),
        }
    }
}

impl AlertLine {
    fn of(alert: Alert, home: Option<&Home>, silenced_by: &[&Silence]) -> Self {
        Self {
            integration: alert.integration.0,
            fingerprint: alert.fingerprint.0,
            firing: alert.firing,
            title: alert.title,
            labels: alert.labels,
            link: alert.link,
            place: AlertPlace::of(&alert.place),
            incident: home.map(|it| it.number),
            incident_status: home.and_then(|it| it.status),
            silenced_by: silenced_by.iter().map(|it| it.id.clone()).collect(),
            starts_at: format_time(alert.starts_at),
            last_seen: format_time(alert.last_seen),
            lease_until: alert.lease_until.map(format_time),
            fires_at: alert.fires_at.map(format_time),
        }
    }
}

impl AlertPlace {
    pub(super) fn of(place: &Place) -> Self {
        match place {
            Place::Incident { .. } => Self::Incident,
            Place::Ignored { .. } => Self::Ignored,
            Place::Waiting { .. } => Self::Waiting,
            Place::Expected {} => Self::Expected,
            Place::Silenced { .. } => Self::Silenced,
        }
    }
}
