//! Authentication and scopes. A handler's first argument names the scope that it needs, so that
//! the body of an unauthenticated request is never read.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use tocsin_core::IntegrationId;

use super::problem::{Kind, Problem};
use crate::actions::Caller;
use crate::app::App;
use crate::auth::{Carried, Scope, TokenRow, carried, redact_token};
use crate::config::IntegrationKind;

/// For senders that cannot set `Authorization`.
const KEY_HEADER: &str = "x-tocsin-key";

/// A caller with a valid token of any scope.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    row: Arc<TokenRow>,
    /// Who acts, and what they may do and see.
    pub(super) caller: Caller,
}

/// A caller with scope `read`.
pub(super) struct Reader(pub(super) Holder);
/// A caller with scope `respond`.
pub(super) struct Responder(pub(super) Holder);
/// A caller with scope `admin`.
pub(super) struct Admin;

impl Holder {
    /// The token's ID, which keeps the idempotency keys of tokens apart.
    pub(super) fn id(&self) -> &str {
        &self.row.id
    }

    /// Checks that the token's scope includes `wanted`.
    pub(super) fn need(self, wanted: Scope) -> Result<Self, Problem> {
        self.caller.need(wanted)?;
        Ok(self)
    }

    /// Checks that it may send alerts to `integration`; an admin may too, for testing.
    pub(super) fn need_ingest(&self, integration: &IntegrationId) -> Result<(), Problem> {
        if self.row.may_ingest(integration) || self.row.scope == Scope::Admin {
            return Ok(());
        }
        let named = redact_token(&integration.0);
        let detail = format!(
            "this needs a token of scope ingest for the integration `{named}`; \
             `tocsin token create --integration {named}` creates one"
        );
        Err(Problem::new(Kind::FORBIDDEN, detail).with("scope", Scope::Ingest.as_str()))
    }

    /// The token's integration, if it is of this kind.
    pub(super) fn integration(&self, app: &App, kind: IntegrationKind) -> Option<IntegrationId> {
        let id = self.row.integration.as_ref()?;
        let is_kind = app.config.integrations.get(id)?.kind == kind;
        (is_kind && self.row.may_ingest(id)).then(|| id.clone())
    }

    fn of(row: Arc<TokenRow>, app: &App) -> Result<Self, Problem> {
        let caller = Caller::of_token(&row, &app.payloads.roster.people);
        let caller = caller.map_err(|denied| {
            let detail = format!("{denied}, but the token acts in their name; revoke the token");
            Problem::new(Kind::FORBIDDEN, detail)
        })?;
        Ok(Self { row, caller })
    }
}

/// The holder of a request's token.
fn holder(headers: &HeaderMap, query: Option<&str>, app: &App) -> Result<Holder, Problem> {
    let text = |name: &str| {
        let value = headers.get(name).map(|value| value.to_str());
        value.transpose().map_err(|_| {
            Problem::new(
                Kind::NO_TOKEN,
                format!("the header {name} is not valid text"),
            )
        })
    };
    let places = Carried {
        authorization: text(header::AUTHORIZATION.as_str())?,
        tocsin_key: text(KEY_HEADER)?,
        query,
    };
    let token = carried(places).map_err(|error| Problem::new(Kind::NO_TOKEN, error.to_string()))?;
    let Some(token) = token else {
        let detail = "send `Authorization: Bearer TOKEN`; `tocsin token create` creates one";
        return Err(Problem::new(Kind::NO_TOKEN, detail));
    };
    match app.tokens.find(&token) {
        Some(row) => Holder::of(row, app),
        None => Err(Problem::new(
            Kind::NO_TOKEN,
            "the token is unknown or revoked; `tocsin token create` creates one",
        )),
    }
}

impl FromRequestParts<Arc<App>> for Holder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        holder(&parts.headers, parts.uri.query(), app)
    }
}

/// Implements an extractor that needs a scope.
macro_rules! needs {
    ($name:ident, $scope:expr, $made:expr) => {
        impl FromRequestParts<Arc<App>> for $name {
            type Rejection = Problem;

            async fn from_request_parts(
                parts: &mut Parts,
                app: &Arc<App>,
            ) -> Result<Self, Problem> {
                let holder = holder(&parts.headers, parts.uri.query(), app)?;
                holder.need($scope).map($made)
            }
        }
    };
}

needs!(Reader, Scope::Read, Reader);
needs!(Responder, Scope::Respond, Responder);
needs!(Admin, Scope::Admin, |_| Admin);
