//! Alertmanager's API v2, for Prometheus and `amtool`. Errors are JSON strings, as in
//! Alertmanager, except for authentication errors, which that API does not define.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::alert::{Alert, Place};
use tocsin_core::{IntegrationId, Labels, Timestamp};
use utoipa_axum::routes;

use super::api::alerts::{AlertFilter, each_alert, silences_of};
use super::body::Unpacked;
use super::guard::Holder;
use super::ingest::malformed;
use super::path::Path;
use super::problem::{Kind, Problem};
use super::{RequestId, Routes, blocking, parsing};
use crate::actions::set_silence;
use crate::app::App;
use crate::auth::Scope;
use crate::config::IntegrationKind;
use crate::disclosure::Clearance;
use crate::ingest::Received;
use crate::ingest::alertmanager_api::{
    AlertGroup, AlertQuery, AlertRecord, GettableAlert, GroupQuery, Receiver, StatusView,
    error_body, parse, refusal,
};
use crate::runtime::state::tables::hidden;
use crate::silence::{
    GettableSilence, Silence, SilenceCreated, SilenceFilter, list_silences, read_postable,
};

/// The only receiver, as policies decide who is paged.
const RECEIVER: &str = "tocsin";
/// Most alerts of one response, as the API has no paging.
const SHOWN_MAX: usize = 20_000;

/// A problem in Alertmanager's shape.
pub(super) struct AmProblem(Problem);

impl<T: Into<Problem>> From<T> for AmProblem {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for AmProblem {
    fn into_response(self) -> Response {
        let Self(problem) = self;
        let media = [(header::CONTENT_TYPE, "application/json")];
        let mut response = (problem.status(), media, error_body(problem.detail())).into_response();
        problem.mark(&mut response);
        response
    }
}

fn bad(message: impl Into<String>) -> AmProblem {
    AmProblem(Problem::new(Kind::MALFORMED, message))
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(alerts, post_alerts))
        .routes(routes!(groups))
        .routes(routes!(status))
        .routes(routes!(receivers))
        .routes(routes!(silences, post_silence))
        .routes(routes!(silence, expire_silence))
}

/// Accepts alerts from Prometheus; needs an ingest token of an `alertmanager-api` integration.
#[utoipa::path(
    post, path = "/api/v2/alerts", tag = "alertmanager",
    security(("token" = ["ingest"])),
    request_body(content = Object, description = "postableAlerts"),
    responses(
        (status = 200, description = "Accepted and durable"),
        (status = 400, description = "Some or all alerts cannot be read; the rest are accepted"),
        (status = 503, description = "Unavailable; send it again"),
    )
)]
async fn post_alerts(
    State(app): State<Arc<App>>,
    holder: Holder,
    Extension(RequestId(id)): Extension<RequestId>,
    body: Unpacked,
) -> Result<StatusCode, AmProblem> {
    let Some(integration) = own_integration(&holder, &app) else {
        let detail = "this needs a token of scope ingest for an integration of kind \
                      alertmanager-api";
        let problem = Problem::new(Kind::FORBIDDEN, detail).with("scope", Scope::Ingest.as_str());
        return Err(AmProblem(problem));
    };
    let ctx = Received::new(integration, app.clock.now(), id);
    let Unpacked(body) = body;
    let bytes = body.len();
    let parse = move || parse(&body, &ctx).map_err(malformed);
    let parsed = parsing(bytes, parse).await?;
    let refused = refusal(&parsed);
    app.intake.take(parsed.signals).await?;
    match refused {
        None => Ok(StatusCode::OK),
        Some(message) => Err(bad(message)),
    }
}

/// Lists the alerts that are firing.
#[utoipa::path(
    get, path = "/api/v2/alerts", tag = "alertmanager",
    security(("token" = ["read"])),
    responses((status = 200, description = "gettableAlerts"))
)]
async fn alerts(
    State(app): State<Arc<App>>,
    holder: Holder,
    RawQuery(query): RawQuery,
) -> Result<axum::Json<Vec<GettableAlert>>, AmProblem> {
    let access = reader(holder, &app)?;
    let pairs = pairs(query.as_deref())?;
    let query = AlertQuery::read(borrowed(&pairs)).map_err(|error| bad(error.to_string()))?;
    let now = app.clock.now();
    let records = records(app, access, now).await?;
    Ok(axum::Json(query.list(&records, now)))
}

/// Lists the alerts that are firing, in groups.
#[utoipa::path(
    get, path = "/api/v2/alerts/groups", tag = "alertmanager",
    security(("token" = ["read"])),
    responses((status = 200, description = "alertGroups"))
)]
async fn groups(
    State(app): State<Arc<App>>,
    holder: Holder,
    RawQuery(query): RawQuery,
) -> Result<axum::Json<Vec<AlertGroup>>, AmProblem> {
    let access = reader(holder, &app)?;
    let pairs = pairs(query.as_deref())?;
    let query = GroupQuery::read(borrowed(&pairs)).map_err(|error| bad(error.to_string()))?;
    let now = app.clock.now();
    let records = records(app, access, now).await?;
    Ok(axum::Json(query.list(&records, now)))
}

/// Lists the only receiver.
#[utoipa::path(
    get, path = "/api/v2/receivers", tag = "alertmanager",
    security(("token" = ["read"])),
    responses((status = 200, description = "receivers"))
)]
async fn receivers(
    State(app): State<Arc<App>>,
    holder: Holder,
    RawQuery(query): RawQuery,
) -> Result<axum::Json<Vec<Receiver>>, AmProblem> {
    reader(holder, &app)?;
    let pairs = pairs(query.as_deref())?;
    let query = AlertQuery::read(borrowed(&pairs)).map_err(|error| bad(error.to_string()))?;
    Ok(axum::Json(query.receivers([RECEIVER])))
}

/// Shows the version and the start time.
#[utoipa::path(
    get, path = "/api/v2/status", tag = "alertmanager",
    security(("token" = ["read"])),
    responses((status = 200, description = "alertmanagerStatus"))
)]
async fn status(
    State(app): State<Arc<App>>,
    holder: Holder,
) -> Result<axum::Json<StatusView>, AmProblem> {
    reader(holder, &app)?;
    let version = env!("CARGO_PKG_VERSION");
    let config = "# tocsin does not show its configuration\n";
    Ok(axum::Json(StatusView::alone(
        version,
        config,
        app.started_at,
    )))
}

/// Lists silences: pending, active and recently expired.
#[utoipa::path(
    get, path = "/api/v2/silences", tag = "alertmanager",
    security(("token" = ["read"])),
    responses((status = 200, description = "gettableSilences"))
)]
async fn silences(
    State(app): State<Arc<App>>,
    holder: Holder,
    RawQuery(query): RawQuery,
) -> Result<axum::Json<Vec<GettableSilence>>, AmProblem> {
    reader(holder, &app)?;
    let pairs = pairs(query.as_deref())?;
    let filter = SilenceFilter::read(borrowed(&pairs)).map_err(|error| bad(error.to_string()))?;
    let listed = blocking(move || {
        let (all, now) = (app.silences.all(), app.clock.now());
        let mut listed = list_silences(all.iter().map(AsRef::as_ref), &filter, now);
        let hidden = hidden::all(app.store.as_ref())?;
        for silence in &mut listed {
            silence.hid = hidden.get(&silence.id).copied().unwrap_or_default();
        }
        Ok(listed)
    });
    Ok(axum::Json(listed.await?))
}

/// Creates or changes a silence.
#[utoipa::path(
    post, path = "/api/v2/silences", tag = "alertmanager",
    security(("token" = ["respond"])),
    request_body(content = Object, description = "postableSilence"),
    responses(
        (status = 200, description = "`silenceID`"),
        (status = 400, description = "The silence is not valid"),
        (status = 404, description = "There is no silence with this id"),
    )
)]
async fn post_silence(
    State(app): State<Arc<App>>,
    holder: Holder,
    body: Unpacked,
) -> Result<axum::Json<SilenceCreated>, AmProblem> {
    holder.need(Scope::Respond)?;
    let posted = read_postable(&body.0).map_err(bad)?;
    let now = app.clock.now();
    let created = set_silence(&app.silences, posted, now, &app.writer).await?;
    Ok(axum::Json(created))
}

/// Shows a silence.
#[utoipa::path(
    get, path = "/api/v2/silence/{id}", tag = "alertmanager",
    security(("token" = ["read"])),
    params(("id" = String, Path, description = "The silence's id")),
    responses(
        (status = 200, description = "gettableSilence"),
        (status = 404, description = "There is no silence with this id"),
    )
)]
async fn silence(
    State(app): State<Arc<App>>,
    holder: Holder,
    Path(id): Path<String>,
) -> Result<axum::Json<GettableSilence>, AmProblem> {
    reader(holder, &app)?;
    let all = app.silences.all();
    let found = all.iter().find(|it| it.id == id);
    let found = found.ok_or_else(|| {
        AmProblem(Problem::new(
            Kind::NOT_FOUND,
            "there is no silence with this id",
        ))
    })?;
    let mut shown = GettableSilence::of(found, app.clock.now());
    shown.hid = blocking(move || Ok(hidden::by(app.store.as_ref(), &id)?)).await?;
    Ok(axum::Json(shown))
}

/// Expires a silence.
#[utoipa::path(
    delete, path = "/api/v2/silence/{id}", tag = "alertmanager",
    security(("token" = ["respond"])),
    params(("id" = String, Path, description = "The silence's id")),
    responses(
        (status = 200, description = "The silence has expired"),
        (status = 404, description = "There is no silence with this id"),
    )
)]
async fn expire_silence(
    State(app): State<Arc<App>>,
    holder: Holder,
    Path(id): Path<String>,
) -> Result<StatusCode, AmProblem> {
    holder.need(Scope::Respond)?;
    let now = app.clock.now();
    app.silences.expire(&id, now, &app.writer).await?;
    Ok(StatusCode::OK)
}

/// Which alerts a caller may see: an integration's token sees only that integration's alerts.
#[derive(Clone)]
struct AlertAccess {
    only: Option<IntegrationId>,
    clearance: Clearance,
}

fn own_integration(holder: &Holder, app: &App) -> Option<IntegrationId> {
    holder.integration(app, IntegrationKind::AlertmanagerApi)
}

fn reader(holder: Holder, app: &App) -> Result<AlertAccess, AmProblem> {
    if let Some(only) = own_integration(&holder, app) {
        let (only, clearance) = (Some(only), Clearance::Security);
        return Ok(AlertAccess { only, clearance });
    }
    let holder = holder.need(Scope::Read)?;
    let (only, clearance) = (None, holder.caller.clearance);
    Ok(AlertAccess { only, clearance })
}

async fn records(
    app: Arc<App>,
    access: AlertAccess,
    now: Timestamp,
) -> Result<Vec<AlertRecord>, Problem> {
    blocking(move || {
        let mut records = Vec::new();
        let silences = app.silences.in_force(now)?.0;
        let filter = AlertFilter {
            firing: Some(true),
            clearance: access.clearance,
        };
        each_alert(&app, &filter, None, |alert, _| {
            if access
                .only
                .as_ref()
                .is_none_or(|it| *it == alert.integration)
            {
                records.push(record(&silences, alert));
            }
            records.len() < SHOWN_MAX
        })?;
        if records.len() == SHOWN_MAX {
            tracing::warn!(SHOWN_MAX, "more alerts are firing than one response lists");
        }
        Ok(records)
    })
    .await
}

fn record(silences: &[Arc<Silence>], alert: Alert) -> AlertRecord {
    let silenced_by = silences_of(silences, &alert);
    let silenced_by = silenced_by.iter().map(|it| it.id.clone()).collect();
    let name = alert.labels.get_key_value("alertname");
    let group: Labels = name
        .map(|(name, value)| (name.clone(), value.clone()))
        .into_iter()
        .collect();
    AlertRecord {
        fingerprint: alert.fingerprint.to_string(),
        processed: !matches!(alert.place, Place::Waiting { .. }),
        labels: alert.labels,
        annotations: alert.annotations,
        starts_at: alert.starts_at,
        ends_at: alert.lease_until,
        updated_at: alert.last_seen,
        link: alert.link,
        receivers: vec![RECEIVER.to_owned()],
        group,
        silenced_by,
        inhibited_by: Vec::new(),
    }
}

fn pairs(query: Option<&str>) -> Result<Vec<(String, String)>, AmProblem> {
    serde_urlencoded::from_str(query.unwrap_or_default())
        .map_err(|error| bad(format!("the query is not valid: {error}")))
}

fn borrowed(pairs: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}
