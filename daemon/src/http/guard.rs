//! Who calls, and whether they may. A handler names what it needs as its first argument, so that
//! the body of a stranger is never read.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use tocsin_core::IntegrationId;

use super::problem::{Kind, Problem};
use crate::actions::Caller;
use crate::app::App;
use crate::auth::{Carried, Scope, TokenRow, carried, repeatable};
use crate::config::IntegrationKind;

/// The header of senders that can set no other.
const KEY_HEADER: &str = "x-tocsin-key";

/// Somebody with a token, whatever it may do.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    row: Arc<TokenRow>,
    /// In whose name it acts, and what they may do and know.
    pub(super) caller: Caller,
}

/// Somebody who may see.
pub(super) struct Reader(pub(super) Holder);
/// Somebody who may act.
pub(super) struct Responder(pub(super) Holder);
/// Somebody who may change the daemon.
pub(super) struct Admin;

impl Holder {
    /// Names the token in keys of commands.
    pub(super) fn id(&self) -> &str {
        &self.row.id
    }

    /// Whether it may do what `wanted` allows.
    pub(super) fn need(self, wanted: Scope) -> Result<Self, Problem> {
        self.caller.need(wanted)?;
        Ok(self)
    }

    /// Whether it may send alerts to `integration`; an admin may, to try it out.
    pub(super) fn need_ingest(&self, integration: &IntegrationId) -> Result<(), Problem> {
        if self.row.may_ingest(integration) || self.row.scope == Scope::Admin {
            return Ok(());
        }
        let named = repeatable(&integration.0);
        let detail = format!(
            "this needs a token of scope ingest for the integration `{named}`; \
             `tocsin token create --integration {named}` makes one"
        );
        Err(Problem::new(Kind::FORBIDDEN, detail).with("scope", Scope::Ingest.as_str()))
    }

    /// The integration of a kind that the token is bound to.
    pub(super) fn integration(&self, app: &App, kind: IntegrationKind) -> Option<IntegrationId> {
        let id = self.row.integration.as_ref()?;
        let is_kind = app.config.integrations.get(id)?.kind == kind;
        (is_kind && self.row.may_ingest(id)).then(|| id.clone())
    }

    fn of(row: Arc<TokenRow>, app: &App) -> Result<Self, Problem> {
        let caller = Caller::of_token(&row, &app.payloads.roster.people);
        let caller = caller.map_err(|denied| {
            let detail = format!("{denied}, and the token acts for them; revoke it");
            Problem::new(Kind::FORBIDDEN, detail)
        })?;
        Ok(Self { row, caller })
    }
}

/// Who holds the token of a request.
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
        let detail = "send `Authorization: Bearer TOKEN`; `tocsin token create` makes one";
        return Err(Problem::new(Kind::NO_TOKEN, detail));
    };
    match app.tokens.find(&token) {
        Some(row) => Holder::of(row, app),
        None => Err(Problem::new(
            Kind::NO_TOKEN,
            "the token is unknown or revoked; `tocsin token create` makes one",
        )),
    }
}

impl FromRequestParts<Arc<App>> for Holder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        holder(&parts.headers, parts.uri.query(), app)
    }
}

/// An argument that needs a scope.
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
