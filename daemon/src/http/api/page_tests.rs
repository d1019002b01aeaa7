//! `/api/v1/page-tests`: tests of the way to a person.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use utoipa_axum::routes;

use super::incidents::command_key;
use crate::actions::test_pages;
use crate::api::{TestLine, TestList, TestOrder, TestQuery};
use crate::app::App;
use crate::http::body::Json;
use crate::http::guard::Responder;
use crate::http::problem::{Kind, Problem};
use crate::http::{Routes, blocking};

pub(in crate::http) fn routes() -> Routes {
    Routes::new().routes(routes!(list, begin))
}

/// Shows the tests of the way to a person, of the last week.
#[utoipa::path(
    get, path = "/api/v1/page-tests", tag = "people", params(TestQuery),
    security(("token" = ["respond"])),
    responses((status = 200, description = "The oldest first", body = TestList))
)]
async fn list(
    State(app): State<Arc<App>>,
    Responder(_): Responder,
    query: Result<Query<TestQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<axum::Json<TestList>, Problem> {
    let query = query.map_err(|error| Problem::new(Kind::MALFORMED, error.body_text()))?;
    let person = query.0.person.as_str().into();
    let list = blocking(move || {
        let now = app.clock.now();
        let kept = app.intake.tests_of(&person)?;
        Ok(TestList {
            tests: kept
                .iter()
                .map(|(id, it)| TestLine::of(id, it, now))
                .collect(),
            repeated: false,
        })
    });
    Ok(axum::Json(list.await?))
}

/// Sends test pages to a person through their contacts. What becomes of them is shown by GET.
#[utoipa::path(
    post, path = "/api/v1/page-tests", tag = "people",
    security(("token" = ["respond"])),
    request_body = TestOrder,
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request")),
    responses(
        (status = 200, description = "They are durable; those that were open are among them",
            body = TestList),
        (status = 404, description = "There is no such person"),
        (status = 422, description = "They have no such contact, or got too many tests"),
        (status = 503, description = "Unavailable; send it again"),
    )
)]
async fn begin(
    State(app): State<Arc<App>>,
    Responder(holder): Responder,
    headers: HeaderMap,
    Json(order): Json<TestOrder>,
) -> Result<axum::Json<TestList>, Problem> {
    let key = command_key(&headers, &holder, "page-tests")?;
    let (ids, repeated) = test_pages(&app.intake, &holder.caller, &order, key).await?;
    let list = blocking(move || {
        let now = app.clock.now();
        let mut tests = Vec::new();
        for id in &ids {
            tests.extend(app.intake.test(id)?.map(|it| TestLine::of(id, &it, now)));
        }
        Ok(TestList { tests, repeated })
    });
    Ok(axum::Json(list.await?))
}
