//! `/api/v1/oncall`: who is on call, and until when.

use std::sync::Arc;

use axum::extract::State;
use tocsin_core::PersonId;
use utoipa_axum::routes;

use crate::api::{OnCall, PersonLine, RotationLine};
use crate::app::App;
use crate::http::Routes;
use crate::http::guard::Reader;
use crate::time::format_time;

pub(in crate::http) fn routes() -> Routes {
    Routes::new().routes(routes!(list))
}

/// Shows who is on call.
#[utoipa::path(
    get, path = "/api/v1/oncall", tag = "people",
    security(("token" = ["read"])),
    responses((status = 200, description = "All rotations", body = OnCall))
)]
async fn list(State(app): State<Arc<App>>, Reader(_): Reader) -> axum::Json<OnCall> {
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
