//! `/api/v1/drills`: what `tocsin drill` needs of the daemon.

use std::sync::Arc;

use axum::extract::State;
use tocsin_core::drill;
use utoipa_axum::routes;

use super::incidents::state;
use crate::api::{DrillRun, DrillScore};
use crate::app::App;
use crate::disclosure::Disclosed;
use crate::drill::{DrillAlert, DrillScenario, from_incident};
use crate::http::body::Json;
use crate::http::guard::{Reader, Responder};
use crate::http::path::Path;
use crate::http::problem::{Kind, Problem};
use crate::http::{Routes, blocking};
use crate::runtime::events_of;

pub(in crate::http) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(alerts))
        .routes(routes!(scenario))
        .routes(routes!(score))
}

/// Begins or ends an alert of a drill, whose incident is marked as one and counts in no measure.
#[utoipa::path(
    post, path = "/api/v1/drills/alerts", tag = "drills", request_body = DrillAlert,
    security(("token" = ["respond"])),
    responses(
        (status = 200, description = "The alert is durable", body = DrillRun),
        (status = 422, description = "A name is not valid"),
        (status = 503, description = "Unavailable; send it again"),
    )
)]
async fn alerts(
    State(app): State<Arc<App>>,
    Responder(_): Responder,
    Json(alert): Json<DrillAlert>,
) -> Result<axum::Json<DrillRun>, Problem> {
    let key = drill::key(&alert.run);
    let signal = alert.into_signal(app.clock.now());
    let signal = signal.map_err(|why| Problem::new(Kind::INVALID, why.to_string()))?;
    app.intake.take(vec![signal.bounded().0]).await?;
    let found = blocking(move || {
        let snapshot = app.view.snapshot(app.clock.now())?;
        Ok(snapshot.incident_of_key(&key)?)
    })
    .await?;
    let incident = found.map(|it| it.incident.number);
    Ok(axum::Json(DrillRun { incident }))
}

/// Shows a closed incident as a drill, without people, addresses and ids.
#[utoipa::path(
    get, path = "/api/v1/incidents/{number}/drill", tag = "drills",
    security(("token" = ["read"])),
    params(("number" = u64, Path, description = "The incident's number")),
    responses(
        (status = 200, description = "The drill", body = DrillScenario),
        (status = 404, description = "There is no such incident"),
        (status = 409, description = "It is not closed, or a security incident"),
    )
)]
async fn scenario(
    State(app): State<Arc<App>>,
    Reader(holder): Reader,
    Path(number): Path<String>,
) -> Result<axum::Json<DrillScenario>, Problem> {
    let scenario = blocking(move || {
        let id = state(&app, &number)?.incident.id.clone();
        let events = events_of(app.store.as_ref(), &id)?;
        // Read after the events, so that it has every flag that they have.
        let state = state(&app, &number)?;
        let seen = Disclosed::of(&state.incident, holder.caller.clearance);
        let made = from_incident(&seen, &events, &app.config.people);
        made.map_err(|why| Problem::new(Kind::CONFLICT, why.to_string()))
    });
    Ok(axum::Json(scenario.await?))
}

/// Scores the incident of a drill by what the drill wanted. The same log has the same score.
#[utoipa::path(
    post, path = "/api/v1/incidents/{number}/score", tag = "drills",
    security(("token" = ["read"])), request_body = DrillScenario,
    params(("number" = u64, Path, description = "The incident's number")),
    responses(
        (status = 200, description = "The score", body = DrillScore),
        (status = 404, description = "There is no such incident"),
        (status = 409, description = "It is not a drill"),
    )
)]
async fn score(
    State(app): State<Arc<App>>,
    Reader(_): Reader,
    Path(number): Path<String>,
    Json(scenario): Json<DrillScenario>,
) -> Result<axum::Json<DrillScore>, Problem> {
    let score = blocking(move || {
        let state = state(&app, &number)?;
        let incident = &state.incident;
        if !incident.about.drill {
            let detail = format!("incident {} is not a drill", incident.number);
            return Err(Problem::new(Kind::CONFLICT, detail));
        }
        let events = events_of(app.store.as_ref(), &incident.id)?;
        Ok(DrillScore::from(drill::score(&events, &scenario.goals())))
    });
    Ok(axum::Json(score.await?))
}
