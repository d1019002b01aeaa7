//! `/api/v1/tokens`: make, list and revoke tokens. A token's text is in the answer that made it
//! and in no other.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use tocsin_core::{IntegrationId, PersonId};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::NewToken;
use crate::http::body::Json;
use crate::http::guard::Admin;
use crate::http::path::Path;
use crate::http::problem::Problem;
use crate::ingest::format_time;
use crate::tokens::{Scope, TokenRow};

/// A token that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedToken {
    /// What people call it.
    name: String,
    /// `ingest`, `read`, `respond` or `admin`.
    #[schema(value_type = String, example = "respond")]
    scope: Scope,
    /// The integration; for scope `ingest`.
    #[serde(default)]
    integration: Option<String>,
    /// Whom it acts for; for the other scopes.
    #[serde(default)]
    person: Option<String>,
}

/// A token as it is shown: never its text.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenLine {
    /// Names it when it is revoked.
    id: String,
    name: String,
    #[schema(value_type = String)]
    scope: Scope,
    integration: Option<String>,
    person: Option<String>,
    /// Its last four characters.
    last4: String,
    created_at: String,
}

/// Every token, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TokenList {
    tokens: Vec<TokenLine>,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    line: TokenLine,
    /// Its text, shown this once.
    token: String,
}

/// Lists tokens.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "tokens",
    responses((status = 200, description = "The tokens", body = TokenList))
)]
pub(crate) async fn list(State(app): State<Arc<App>>, _: Admin) -> axum::Json<TokenList> {
    let tokens = app.tokens.list();
    let tokens = tokens.iter().map(|it| TokenLine::of(it)).collect();
    axum::Json(TokenList { tokens })
}

/// Makes a token.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "tokens", request_body = WantedToken,
    responses(
        (status = 201, description = "The token, shown this once", body = MadeToken),
        (status = 422, description = "There can be no such token"),
    )
)]
pub(crate) async fn create(
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
    let (now, writer) = (app.clock.now(), &app.writer);
    let (token, row) = app.tokens.create(wanted, &app.config, now, writer).await?;
    let made = MadeToken {
        line: TokenLine::of(&row),
        token: token.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, axum::Json(made)))
}

/// Revokes a token.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "tokens",
    params(("id" = String, Path, description = "The token's id")),
    responses(
        (status = 204, description = "It opens nothing any more"),
        (status = 404, description = "There is none with this id"),
        (status = 409, description = "It is the last admin token"),
    )
)]
pub(crate) async fn revoke(
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
