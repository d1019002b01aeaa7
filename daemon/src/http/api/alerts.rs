//! `/api/v1/alerts`: every alert that is kept, a page at a time.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use tocsin_core::alert::{Alert, Place};
use tocsin_core::{IncidentId, Labels};
use tocsin_store::Table;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::http::blocking;
use crate::http::guard::Reader;
use crate::http::problem::{Kind, Problem};
use crate::ingest::format_time;
use crate::runtime::for_each_row_after;

/// Alerts of one list unless the caller asks for fewer or more.
const LIST_USUAL: usize = 100;
/// Most alerts of one list.
const LIST_MAX: usize = 1_000;

/// Which alerts to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// Only those that fire (`true`) or have ended (`false`).
    firing: Option<bool>,
    /// At most so many: 1 to 1000. Default 100.
    limit: Option<usize>,
    /// Only those after it: `next_after` of the last page.
    after: Option<String>,
    /// A token, for clients that can send no header.
    #[serde(rename = "key")]
    _key: Option<String>,
}

/// Alerts, by integration and fingerprint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertList {
    alerts: Vec<AlertLine>,
    /// Where the next page begins; none after the last.
    next_after: Option<String>,
}

/// An alert as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertLine {
    /// Who sends it.
    integration: String,
    /// Its identity there.
    fingerprint: String,
    /// Whether it fires.
    firing: bool,
    /// One line.
    title: String,
    /// What policies go by.
    #[schema(value_type = Object)]
    labels: Labels,
    /// Where a person can look.
    link: Option<String>,
    /// `incident`, `ignored`, `waiting` or `silenced`.
    place: &'static str,
    /// The incident's number, when it is in one.
    incident: Option<u64>,
    /// Since when it fires, as its sender says.
    starts_at: String,
    /// When the daemon last heard of it.
    last_seen: String,
    /// When it counts as resolved without another word.
    lease_until: Option<String>,
}

/// Which alerts a caller is shown.
pub(in crate::http) struct Shown {
    /// Firing, ended, or both.
    pub(in crate::http) firing: Option<bool>,
    /// Whether alerts of security incidents too.
    pub(in crate::http) clearance: bool,
}

/// Lists alerts.
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "incidents", params(ListQuery),
    responses((status = 200, description = "The alerts", body = AlertList))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<AlertList>, Problem> {
    let Query(query) = query.map_err(|error| Problem::new(Kind::MALFORMED, error.body_text()))?;
    let limit = query.limit.unwrap_or(LIST_USUAL).clamp(1, LIST_MAX);
    let shown = Shown {
        firing: query.firing,
        clearance: holder.clearance(),
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
    let stopped = for_each_row_after(store, Table::Alert, "an alert", after, |_, alert: Alert| {
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
            if security && !shown.clearance {
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
                Place::Incident { .. } => "incident",
                Place::Ignored { .. } => "ignored",
                Place::Waiting { .. } => "waiting",
                Place::Silenced { .. } => "silenced",
            },
            incident,
            starts_at: format_time(alert.starts_at),
            last_seen: format_time(alert.last_seen),
            lease_until: alert.lease_until.map(format_time),
        }
    }
}
