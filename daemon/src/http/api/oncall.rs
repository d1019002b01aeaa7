//! `/api/v1/oncall`: who is on call, and who changes that.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tocsin_core::Timestamp;
use utoipa_axum::routes;

use super::incidents::command_key;
use crate::actions::oncall::{OnCallAction, OnCallDesk, change_on_call};
use crate::api::{OnCall, OnCallOutcome, OverrideList, Schedule, ScheduleQuery, WhoQuery};
use crate::app::App;
use crate::http::body::Json;
use crate::http::guard::{Reader, Responder};
use crate::http::problem::{Kind, Problem};
use crate::http::{Routes, blocking};
use crate::ical::{ExportedShift, export};
use crate::people::Roster;

pub(super) type Asked<T> = Result<Query<T>, axum::extract::rejection::QueryRejection>;

pub(in crate::http) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(overrides))
        .routes(routes!(schedule))
        .routes(routes!(calendar))
        .routes(routes!(act))
}

/// Shows who is on call, now or at another time.
#[utoipa::path(
    get, path = "/api/v1/oncall", tag = "people", params(WhoQuery),
    security(("token" = ["read"])),
    responses(
        (status = 200, description = "All rotations", body = OnCall),
        (status = 422, description = "The time is too far away"),
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
    query: Asked<WhoQuery>,
) -> Result<axum::Json<OnCall>, Problem> {
    let query = read(query)?;
    let on_call = blocking(move || Ok(desk(&app).who(&query)?));
    Ok(axum::Json(on_call.await?))
}

/// Lists the overrides that people made and that have not ended.
#[utoipa::path(
    get, path = "/api/v1/oncall/overrides", tag = "people",
    security(("token" = ["read"])),
    responses((status = 200, description = "In the order of their beginning", body = OverrideList))
)]
async fn overrides(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
) -> Result<axum::Json<OverrideList>, Problem> {
    let read = move || {
        let (kept, roster) = (app.on_call.overrides()?, app.on_call.roster());
        Ok(OverrideList::of(&kept, &roster, app.clock.now()))
    };
    Ok(axum::Json(blocking(read).await?))
}

/// Shows who is on call when, with every override.
#[utoipa::path(
    get, path = "/api/v1/oncall/schedule", tag = "people", params(ScheduleQuery),
    security(("token" = ["read"])),
    responses(
        (status = 200, description = "Each rotation's schedule", body = Schedule),
        (status = 422, description = "There is no such rotation or person"),
    )
)]
async fn schedule(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
    query: Asked<ScheduleQuery>,
) -> Result<axum::Json<Schedule>, Problem> {
    let query = read(query)?;
    let schedule = blocking(move || {
        let schedule = query.schedule(app.intake.responders(), app.clock.now());
        schedule.map_err(|why| Problem::new(Kind::INVALID, why))
    });
    Ok(axum::Json(schedule.await?))
}

/// Shows who is on call when as an iCalendar, to which calendar programs can subscribe with
/// `?key=TOKEN`.
#[utoipa::path(
    get, path = "/api/v1/oncall/calendar.ics", tag = "people", params(ScheduleQuery),
    security(("token" = ["read"])),
    responses(
        (status = 200, description = "One event per shift", content_type = "text/calendar"),
        (status = 422, description = "There is no such rotation or person"),
    )
)]
async fn calendar(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
    query: Asked<ScheduleQuery>,
) -> Result<Response, Problem> {
    let query = read(query)?;
    let text = blocking(move || exported(&app.on_call.roster(), &query, app.clock.now())).await?;
    Ok((
        [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")],
        text,
    )
        .into_response())
}

/// Changes who is on call, in the name of the token's person or else of the token.
#[utoipa::path(
    post, path = "/api/v1/oncall/actions", tag = "people",
    security(("token" = ["respond"])),
    request_body = OnCallAction,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request")),
    responses(
        (status = 200, description = "The change is made and durable", body = OnCallOutcome),
        (status = 404, description = "There is no such override"),
        (status = 422, description = "There is no such rotation or person, or the times are wrong"),
        (status = 503, description = "Unavailable; send it again"),
    )
)]
async fn act(
    State(app): State<Arc<App>>,
    Responder(holder): Responder,
    headers: HeaderMap,
    Json(action): Json<OnCallAction>,
) -> Result<axum::Json<OnCallOutcome>, Problem> {
    let key = command_key(&headers, &holder, "oncall")?.map(|it| it.0);
    let outcome = change_on_call(&desk(&app), &holder.caller, &action, key).await?;
    Ok(axum::Json(outcome))
}

/// What actions and questions need of the daemon.
pub(super) fn desk(app: &App) -> OnCallDesk {
    OnCallDesk {
        on_call: Arc::clone(&app.on_call),
        responders: app.intake.responders().clone(),
        view: Arc::clone(&app.view),
        writer: app.writer.clone(),
        now: app.clock.now(),
    }
}

/// The query of a request.
pub(super) fn read<T>(query: Asked<T>) -> Result<T, Problem> {
    let query = query.map_err(|error| Problem::new(Kind::MALFORMED, error.body_text()))?;
    Ok(query.0)
}

/// The shifts that are asked for, as an iCalendar. Who is on call is in it, and not who is paged
/// instead.
fn exported(roster: &Roster, query: &ScheduleQuery, now: Timestamp) -> Result<String, Problem> {
    let ahead_ms = query.checked_ms(roster);
    let ahead_ms = ahead_ms.map_err(|why| Problem::new(Kind::INVALID, why))?;
    let mut exported = Vec::new();
    for (name, rotation) in roster
        .rotations
        .iter()
        .filter(|(name, _)| query.takes(name))
    {
        for shift in rotation.schedule(now, now.plus_ms(ahead_ms)) {
            let Some(person) = shift.people.first() else {
                continue;
            };
            if !query.takes_person(Some(person)) {
                continue;
            }
            let began = match shift.from == now {
                true => rotation.began(now),
                false => Some(shift.from),
            };
            exported.push(ExportedShift {
                rotation: name.clone(),
                name: roster.name(person),
                began,
                from: began.unwrap_or(shift.from),
                until: shift.until,
            });
        }
    }
    let whose = query.person.as_ref().or(query.rotation.as_ref());
    let title = whose.map_or("On call".to_owned(), |it| format!("On call: {it}"));
    Ok(export(&title, &exported, now))
}
