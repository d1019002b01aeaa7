//! `/api/v1/oncall`: who has it now, and until when.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use tocsin_core::PersonId;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::guard::Reader;
use crate::ingest::format_time;

/// Every rotation, by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OnCall {
    rotations: Vec<RotationLine>,
}

/// One rotation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RotationLine {
    /// Its name in the configuration.
    rotation: String,
    /// The time zone that its hand-overs follow.
    timezone: String,
    /// Who is on call now; nobody when no layer covers this instant.
    now: Vec<PersonLine>,
    /// When that next changes; none when it does not.
    next_handover: Option<String>,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonLine {
    /// Their handle.
    person: String,
    /// What people call them.
    name: String,
}

/// Shows who is on call.
#[utoipa::path(
    get, path = "/api/v1/oncall", tag = "people",
    responses((status = 200, description = "Every rotation", body = OnCall))
)]
pub(crate) async fn list(State(app): State<Arc<App>>, Reader(_): Reader) -> axum::Json<OnCall> {
    let roster = &app.payloads.roster;
    let now = app.clock.now();
    let person = |id: PersonId| PersonLine {
        name: roster
            .people
            .get(&id)
            .map_or_else(|| id.to_string(), |it| it.name.clone()),
        person: id.0,
    };
    let lines = roster
        .rotations
        .iter()
        .map(|(name, rotation)| RotationLine {
            rotation: name.clone(),
            timezone: rotation.zone.name().to_owned(),
            now: rotation.on_call(now).into_iter().map(person).collect(),
            next_handover: rotation.next_handover(now).map(format_time),
        });
    axum::Json(OnCall {
        rotations: lines.collect(),
    })
}
