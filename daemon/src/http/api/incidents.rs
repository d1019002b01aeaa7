//! `/api/v1/incidents`: list, open, show, act.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tocsin_core::limits::NAME_BYTES_MAX;
use tocsin_core::{Draft, Grade, Status, TeamId};
use tocsin_store::{CommandKey, Table};
use utoipa::{IntoParams, ToSchema};

use super::shapes::{IncidentDetail, IncidentLine};
use crate::actions::Action;
use crate::app::App;
use crate::http::blocking;
use crate::http::body::Json;
use crate::http::guard::{Holder, Reader, Responder};
use crate::http::path::Path;
use crate::http::problem::{Kind, Problem};
use crate::runtime::{Done, IncidentState, Summary, events_of};

/// The channel that an action by the API came through.
const VIA: &str = "api";
/// Incidents of one list unless the caller asks for fewer or more.
const LIST_USUAL: usize = 50;
/// Most incidents of one list.
const LIST_MAX: usize = 500;
/// Lines that one read brings, and lines that one list looks at, at most.
const WINDOW_ROWS: u64 = 256;
const WINDOWS_MAX: usize = 64;
/// A client's own name for a request, so that its repeat does nothing.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Which incidents to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    /// `open`, `mitigated`, `resolved` or `closed`; or `active` for the first two.
    status: Option<String>,
    /// At most so many: 1 to 500. Default 50.
    limit: Option<usize>,
    /// Only those with a lower number: `next_before` of the last page.
    before: Option<u64>,
    /// A token, for clients that can send no header.
    #[serde(rename = "key")]
    _key: Option<String>,
}

/// Incidents, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentList {
    incidents: Vec<IncidentLine>,
    /// Where the next page begins; none after the last.
    next_before: Option<u64>,
}

/// An incident that is opened by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewIncident {
    /// One line.
    title: String,
    /// More.
    #[serde(default)]
    summary: String,
    /// The service that is hurt.
    #[serde(default)]
    service: String,
    /// The team that owns it.
    #[serde(default)]
    team: Option<String>,
    /// The grade; the policies' when absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "major")]
    grade: Option<Grade>,
    /// Whether it is an exercise.
    #[serde(default)]
    drill: bool,
}

/// What a request did to an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outcome {
    /// The incident's number.
    number: Option<u64>,
    /// The incident's id.
    id: Option<String>,
    /// What to tell who asked.
    reply: String,
    /// How many things happened to the incident.
    events: usize,
    /// The request was carried out before, under the same `Idempotency-Key`.
    repeated: bool,
}

/// Lists incidents, the newest first.
#[utoipa::path(
    get, path = "/api/v1/incidents", tag = "incidents", params(ListQuery),
    responses((status = 200, description = "The incidents", body = IncidentList))
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<IncidentList>, Problem> {
    let Query(query) = query.map_err(|error| Problem::new(Kind::MALFORMED, error.body_text()))?;
    let wanted = Wanted::read(query.status.as_deref())?;
    let limit = query.limit.unwrap_or(LIST_USUAL).clamp(1, LIST_MAX);
    let list = blocking(move || {
        let (found, next_before) = newest(&app, query.before, limit, |it| wanted.takes(it.status))?;
        let clearance = holder.clearance();
        let line = |it| IncidentLine::of(it, clearance);
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
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request")),
    responses(
        (status = 201, description = "It is open and durable", body = Outcome),
        (status = 200, description = "It was opened before, by this key", body = Outcome),
        (status = 422, description = "It cannot be opened so"),
        (status = 503, description = "Not now; send it again"),
    )
)]
pub(crate) async fn open(
    State(app): State<Arc<App>>,
    Responder(holder): Responder,
    headers: HeaderMap,
    Json(new): Json<NewIncident>,
) -> Result<(StatusCode, axum::Json<Outcome>), Problem> {
    let key = command_key(&headers, &holder, "open")?;
    let draft = new.into_draft(&app)?;
    let done = app.intake.open(draft, holder.actor(), key).await?;
    let outcome = Outcome::of(done);
    let status = match outcome.repeated {
        true => StatusCode::OK,
        false => StatusCode::CREATED,
    };
    Ok((status, axum::Json(outcome)))
}

/// Shows an incident with its log.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}", tag = "incidents",
    params(("number" = u64, Path, description = "Its number")),
    responses(
        (status = 200, description = "The incident", body = IncidentDetail),
        (status = 404, description = "There is none"),
    )
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    Path(number): Path<String>,
) -> Result<axum::Json<IncidentDetail>, Problem> {
    let detail = blocking(move || {
        let state = state(&app, &number)?;
        let events = events_of(app.store.as_ref(), &state.incident.id)?;
        Ok(IncidentDetail::of(&state, &events, holder.clearance()))
    });
    Ok(axum::Json(detail.await?))
}

/// Does something with an incident, in the name of the token's person or of the token.
#[utoipa::path(
    post, path = "/api/v1/incidents/{number}/actions", tag = "incidents",
    request_body = Action,
    params(
        ("number" = u64, Path, description = "Its number"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this request"),
    ),
    responses(
        (status = 200, description = "It is done and durable", body = Outcome),
        (status = 404, description = "There is no such incident"),
        (status = 409, description = "The incident is past it"),
        (status = 422, description = "A text is missing or too long"),
        (status = 503, description = "Not now; send it again"),
    )
)]
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    Responder(holder): Responder,
    Path(number): Path<String>,
    headers: HeaderMap,
    Json(action): Json<Action>,
) -> Result<axum::Json<Outcome>, Problem> {
    let key = command_key(&headers, &holder, "act")?;
    let reads = Arc::clone(&app);
    let state = blocking(move || state(&reads, &number)).await?;
    action
        .check_clearance(&state.incident, || holder.clearance())
        .map_err(|why| Problem::new(Kind::FORBIDDEN, why))?;
    let command = action
        .into_command(VIA)
        .map_err(|error| Problem::new(Kind::INVALID, error))?;
    let id = state.incident.id.clone();
    let done = app.intake.command(id, holder.actor(), command, key).await?;
    Ok(axum::Json(Outcome::of(done)))
}

/// Which status a list asks for.
enum Wanted {
    All,
    Active,
    One(Status),
}

impl Wanted {
    fn read(text: Option<&str>) -> Result<Self, Problem> {
        Ok(match text {
            None | Some("" | "all") => Self::All,
            Some("active") => Self::Active,
            Some("open") => Self::One(Status::Open),
            Some("mitigated") => Self::One(Status::Mitigated),
            Some("resolved") => Self::One(Status::Resolved),
            Some("closed") => Self::One(Status::Closed),
            Some(_) => {
                let detail = "status is open, mitigated, resolved, closed, active or all";
                return Err(Problem::new(Kind::MALFORMED, detail));
            }
        })
    }

    fn takes(&self, status: Status) -> bool {
        match self {
            Self::All => true,
            Self::Active => matches!(status, Status::Open | Status::Mitigated),
            Self::One(one) => *one == status,
        }
    }
}

/// Lines below `before`, the newest first, and where to go on. The store reads upwards, so this
/// reads window by window downwards.
fn newest(
    app: &App,
    before: Option<u64>,
    limit: usize,
    takes: impl Fn(&Summary) -> bool,
) -> Result<(Vec<Summary>, Option<u64>), Problem> {
    let last = app.view.last_number()?;
    let mut end = before.unwrap_or(u64::MAX).min(last.saturating_add(1));
    let mut found = Vec::new();
    for _ in 0..WINDOWS_MAX {
        if end <= 1 {
            return Ok((found, None));
        }
        let start = end.saturating_sub(WINDOW_ROWS + 1);
        let count = usize::try_from(end - start - 1).unwrap_or(0);
        let after = Summary::row_key(start);
        let rows = app.store.rows(Table::Summary, "", Some(&after), count)?;
        for (_, row) in rows.into_iter().rev() {
            let summary = Summary::from_row(&row.value)?;
            if summary.number >= end || !takes(&summary) {
                continue;
            }
            let number = summary.number;
            found.push(summary);
            if found.len() == limit {
                return Ok((found, (number > 1).then_some(number)));
            }
        }
        end = start + 1;
    }
    Ok((found, Some(end)))
}

fn state(app: &App, number: &str) -> Result<Arc<IncidentState>, Problem> {
    let found = match number.parse::<u64>() {
        Ok(number) => app.view.incident_of_number(number)?,
        Err(_) => None,
    };
    found.ok_or_else(|| {
        let detail = "there is no incident with this number; `tocsin incident list` shows them";
        Problem::new(Kind::NOT_FOUND, detail)
    })
}

/// The client's key under its token's own name, so that two clients cannot take each other's.
fn command_key(
    headers: &HeaderMap,
    holder: &Holder,
    what: &str,
) -> Result<Option<CommandKey>, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = key.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > NAME_BYTES_MAX {
        let detail = format!("Idempotency-Key has 1 to {NAME_BYTES_MAX} printable characters");
        return Err(Problem::new(Kind::MALFORMED, detail));
    }
    Ok(Some(CommandKey(format!(
        "api/{}/{what}/{key}",
        holder.id()
    ))))
}

impl NewIncident {
    fn into_draft(self, app: &App) -> Result<Draft, Problem> {
        let team = self.team.filter(|it| !it.is_empty()).map(TeamId);
        if let Some(team) = &team
            && !app.config.teams.contains_key(team)
        {
            let detail = format!("there is no team `{team}` in the configuration");
            return Err(Problem::new(Kind::INVALID, detail));
        }
        if self.service.len() > NAME_BYTES_MAX {
            let detail = format!("a service's name has at most {NAME_BYTES_MAX} bytes");
            return Err(Problem::new(Kind::INVALID, detail));
        }
        Ok(Draft {
            title: self.title,
            summary: self.summary,
            service: self.service,
            team,
            key: None,
            grade: self.grade,
            drill: self.drill,
        })
    }
}

impl Outcome {
    fn of(done: Done) -> Self {
        if let Some(earlier) = done.repeated {
            let text = |name: &str| earlier.get(name).and_then(|it| it.as_str());
            return Self {
                number: earlier.get("number").and_then(serde_json::Value::as_u64),
                id: text("incident").map(str::to_owned),
                reply: text("reply").unwrap_or_default().to_owned(),
                events: 0,
                repeated: true,
            };
        }
        let incident = done.incident.as_deref();
        Self {
            number: incident.map(|it| it.number),
            id: incident.map(|it| it.id.to_string()),
            reply: done.reply,
            events: done.events,
            repeated: false,
        }
    }
}
