//! `/api/v1/incidents`: lists, opens, shows and acts on incidents.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_store::CommandKey;
use utoipa_axum::routes;

use crate::actions::{self, Action, NewIncident, perform};
use crate::api::{
    DecisionLine, DecisionList, IncidentDetail, IncidentLine, IncidentList, IncidentQuery, Outcome,
    StatusFilter,
};
use crate::app::App;
use crate::disclosure::{Summary, decisions};
use crate::http::Routes;
use crate::http::blocking;
use crate::http::body::Json;
use crate::http::guard::{Holder, Reader, Responder};
use crate::http::path::Path;
use crate::http::problem::{Kind, Problem};
use crate::runtime::state::tables::summary;
use crate::runtime::{IncidentState, events_of};

/// The channel of actions that come through the API.
const VIA: &str = "api";
/// Default page size.
const LIST_USUAL: usize = 50;
/// Largest page size.
const LIST_MAX: usize = 500;
/// A client's key for a request, so that a retry does nothing.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

pub(in crate::http) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, open))
        .routes(routes!(show))
        .routes(routes!(why))
        .routes(routes!(act))
}

/// Lists incidents, newest first.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "incidents", params(IncidentQuery),
    security(("token" = ["read"])),
    responses((status = 200, description = "The incidents", body = IncidentList))
)]
async fn list(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    query: Result<Query<IncidentQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<IncidentList>, Problem> {
    let Query(query) = query.map_err(|error| Problem::new(Kind::MALFORMED, error.body_text()))?;
    let wanted = query.status.unwrap_or(StatusFilter::All);
    let limit = query.limit.unwrap_or(LIST_USUAL).clamp(1, LIST_MAX);
    let list = blocking(move || {
        let (store, last) = (app.store.as_ref(), app.view.last_number()?);
        let takes = |it: &Summary| wanted.takes(it.status());
        let (found, next_before) = summary::newest(store, last, query.before, limit, takes)?;
        let clearance = holder.caller.clearance;
        let line = |it: Summary| IncidentLine::of(it.disclosed(clearance));
        Ok(IncidentList {
            incidents: found.into_iter().map(line).collect(),
            next_before,
        })
    });
    Ok(axum::Json(list.await?))
}

/// Opens an incident by hand.
#[utoipa::path(
    post, path = "/api/v1/incidents", tag = "incidents", request_body = NewIncident,
    security(("token" = ["respond"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request")),
    responses(
        (status = 201, description = "The incident is open and durable", body = Outcome),
        (status = 200, description = "Already opened under this key", body = Outcome),
        (status = 422, description = "A field is too long or not valid"),
        (status = 503, description = "Unavailable; send it again"),
    )
)]
async fn open(
    State(app): State<Arc<App>>,
    Responder(holder): Responder,
    headers: HeaderMap,
    Json(new): Json<NewIncident>,
) -> Result<(StatusCode, axum::Json<Outcome>), Problem> {
    let key = command_key(&headers, &holder, "open")?;
    let teams = &app.config.teams;
    let outcome = actions::open(&app.intake, teams, holder.caller, new, None, key).await?;
    let status = match outcome.repeated {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    Ok((status, axum::Json(outcome)))
}

/// Shows an incident with its log.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}", tag = "incidents",
    security(("token" = ["read"])),
    params(("number" = u64, Path, description = "The incident's number")),
    responses(
        (status = 200, description = "The incident", body = IncidentDetail),
        (status = 404, description = "There is no such incident"),
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    Path(number): Path<String>,
) -> Result<axum::Json<IncidentDetail>, Problem> {
    let detail = blocking(move || {
        let state = state(&app, &number)?;
        let events = events_of(app.store.as_ref(), &state.incident.id)?;
        let (silences, clearance) = (app.silences.all(), holder.caller.clearance);
        Ok(IncidentDetail::of(&state, &events, &silences, clearance))
    });
    Ok(axum::Json(detail.await?))
}

/// Shows what policies decided about an incident, and why.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/decisions", tag = "incidents",
    security(("token" = ["read"])),
    params(("number" = u64, Path, description = "The incident's number")),
    responses(
        (status = 200, description = "The decisions, in order", body = DecisionList),
        (status = 404, description = "There is no such incident"),
    )
)]
async fn why(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    Path(number): Path<String>,
) -> Result<axum::Json<DecisionList>, Problem> {
    let list = blocking(move || {
        let state = state(&app, &number)?;
        let events = events_of(app.store.as_ref(), &state.incident.id)?;
        let found = decisions(&state.incident, &events, holder.caller.clearance);
        Ok(DecisionList {
            decisions: found.into_iter().map(DecisionLine::of).collect(),
        })
    });
    Ok(axum::Json(list.await?))
}

/// Acts on an incident, in the name of the token's person or else of the token.
#[utoipa::path(
    post, path = "/api/v1/incidents/{number}/actions", tag = "incidents",
    security(("token" = ["respond"])),
    request_body = Action,
    params(
        ("number" = u64, Path, description = "The incident's number"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this request"),
    ),
    responses(
        (status = 200, description = "The action is done and durable", body = Outcome),
        (status = 404, description = "There is no such incident"),
        (status = 409, description = "The incident's state does not allow it"),
        (status = 422, description = "A text is empty or too long"),
        (status = 503, description = "Unavailable; send it again"),
    )
)]
async fn act(
    State(app): State<Arc<App>>,
    Responder(holder): Responder,
    Path(number): Path<String>,
    headers: HeaderMap,
    Json(action): Json<Action>,
) -> Result<axum::Json<Outcome>, Problem> {
    let key = command_key(&headers, &holder, "act")?;
    let reads = Arc::clone(&app);
    let state = blocking(move || state(&reads, &number)).await?;
    let (caller, id) = (holder.caller, state.incident.id.clone());
    let outcome = perform(&app.intake, caller, id, action, VIA, key).await?;
    Ok(axum::Json(outcome))
}

pub(super) fn state(app: &App, number: &str) -> Result<Arc<IncidentState>, Problem> {
    let found = match number.parse::<u64>() {
        Ok(number) => app.view.incident_of_number(number)?,
        Err(_) => None,
    };
    found.ok_or_else(|| {
        let detail = "there is no incident with this number; `tocsin incident list` shows them";
        Problem::new(Kind::NOT_FOUND, detail)
    })
}

/// The client's key, prefixed with its token's ID so that clients cannot use each other's keys.
pub(super) fn command_key(
    headers: &HeaderMap,
    holder: &Holder,
    what: &str,
) -> Result<Option<CommandKey>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > NAME_BYTES_MAX {
        let detail =
            format!("Idempotency-Key must have 1 to {NAME_BYTES_MAX} printable characters");
        return Err(Problem::new(Kind::MALFORMED, detail));
    }
    Ok(Some(CommandKey(format!(
        "api/{}/{what}/{key}",
        holder.id()
    ))))
}
