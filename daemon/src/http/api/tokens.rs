//! `/api/v1/tokens`: creates, lists and revokes tokens. A token's text is only in the response
//! that created it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use tocsin_core::{IntegrationId, PersonId};
use utoipa_axum::routes;

use crate::api::{MadeToken, TokenLine, TokenList, WantedToken};
use crate::app::App;
use crate::auth::{NewToken, TokenRow};
use crate::http::Routes;
use crate::http::body::Json;
use crate::http::guard::Admin;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::time::format_time;

pub(in crate::http) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
}

/// Lists tokens.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "tokens",
    security(("token" = ["admin"])),
    responses((status = 200, description = "The tokens", body = TokenList))
)]
async fn list(State(app): State<Arc<App>>, _: Admin) -> axum::Json<TokenList> {
    let tokens = app.tokens.list();
    let tokens = tokens.iter().map(|it| TokenLine::of(it)).collect();
    axum::Json(TokenList { tokens })
}

/// Creates a token.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "tokens", request_body = WantedToken,
    security(("token" = ["admin"])),
    responses(
        (status = 201, description = "The token, shown only once", body = MadeToken),
        (status = 422, description = "A field is not valid"),
    )
)]
async fn create(
    State(app): State<Arc<App>>,
    _: Admin,
    Json(wanted): Json<WantedToken>,
) -> Result<(StatusCode, axum::Json<MadeToken>), Problem> {
    let wanted = NewToken {
        name: wanted.name,
        scope: wanted.scope,
        integration: wanted.integration.map(IntegrationId),
        person: wanted.person.map(PersonId),
    };
    let (token, row) = app.issue(wanted).await?;
    let made = MadeToken {
        line: TokenLine::of(&row),
        token: token.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, axum::Json(made)))
}

/// Revokes a token.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    security(("token" = ["admin"])),
    params(("id" = String, Path, description = "The token's id")),
    responses(
        (status = 204, description = "The token is revoked"),
        (status = 404, description = "There is no token with this id"),
        (status = 409, description = "This is the last admin token"),
    )
)]
async fn revoke(
    State(app): State<Arc<App>>,
    _: Admin,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.tokens.revoke(&id, &app.writer).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl TokenLine {
    fn of(row: &TokenRow) -> Self {
        Self {
            id: row.id.clone(),
            name: row.name.clone(),
            scope: row.scope,
            integration: row.integration.as_ref().map(ToString::to_string),
            person: row.person.as_ref().map(ToString::to_string),
            last4: row.last4.clone(),
            created_at: format_time(row.created_at),
        }
    }
}
