//! Errors as HTTP responses: problem details (RFC 9457).
//!
//! With the wrong status, alerts are lost: Alertmanager does not retry after a 4xx, so overload is
//! 503 and never 429, a body that arrived too slowly is 503 and never 408, and a body that no
//! retry can fix is never 5xx.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tocsin_core::command::Refusal;
use tocsin_store::CommitError;

use crate::actions::{Denied, NotDone};
use crate::api::ProblemDetails;
use crate::auth::TokenRefusal;
use crate::runtime::{EngineError, SilenceError, TokenError};
use crate::silence::SilenceRefusal;

/// The `Retry-After` of a 503, in seconds.
const RETRY_AFTER_S: &str = "1";
const MEDIA_TYPE: &str = "application/problem+json";
/// The `WWW-Authenticate` of a 401.
const CHALLENGE: &str = "Bearer realm=\"tocsin\"";

/// A kind of problem: status, last part of the type URN, and title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(u16, &'static str, &'static str);

impl Kind {
    pub(super) const MALFORMED: Self = Self(400, "malformed", "The request cannot be read");
    pub(super) const NO_TOKEN: Self = Self(401, "no-token", "A token is needed");
    pub(super) const FORBIDDEN: Self = Self(403, "forbidden", "The token may not do this");
    pub(super) const NOT_FOUND: Self = Self(404, "not-found", "Not found");
    pub(super) const METHOD: Self = Self(405, "method", "The path does not allow this method");
    pub(super) const TIMEOUT: Self = Self(503, "timeout", "The body did not arrive in time");
    pub(super) const CONFLICT: Self = Self(409, "conflict", "Conflicts with the incident's state");
    pub(super) const TOKENS: Self = Self(409, "conflict", "Conflicts with the existing tokens");
    pub(super) const TOO_LARGE: Self = Self(413, "too-large", "The body is too large");
    pub(super) const MEDIA: Self = Self(415, "encoding", "The body's encoding is not supported");
    pub(super) const INVALID: Self = Self(422, "invalid", "The request is not valid");
    pub(super) const INTERNAL: Self = Self(500, "internal", "The daemon failed");
    pub(super) const UNAVAILABLE: Self = Self(503, "unavailable", "Temporarily unavailable");
}

/// An error response that says what went wrong and how to fix it.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    kind: Kind,
    status: StatusCode,
    detail: String,
    more: Map<String, Value>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            status: StatusCode::from_u16(kind.0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            detail: detail.into(),
            more: Map::new(),
        }
    }

    /// A problem with a status chosen by a plugin.
    pub(super) fn with_status(status: u16, detail: impl Into<String>) -> Self {
        let kind = match status {
            401 => Kind::NO_TOKEN,
            403 => Kind::FORBIDDEN,
            404 => Kind::NOT_FOUND,
            405 => Kind::METHOD,
            413 => Kind::TOO_LARGE,
            503 => Kind::UNAVAILABLE,
            400..=499 => Kind::MALFORMED,
            _ => Kind::INTERNAL,
        };
        let mut problem = Self::new(kind, detail);
        if let Ok(status) = StatusCode::from_u16(status)
            && (400..600).contains(&status.as_u16())
        {
            problem.status = status;
        }
        problem
    }

    /// Adds a member.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.more.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// Adds the headers that the status needs to a response with any body.
    pub(super) fn mark(&self, response: &mut Response) {
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(CHALLENGE);
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let after = HeaderValue::from_static(RETRY_AFTER_S);
            headers.insert(header::RETRY_AFTER, after);
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemDetails {
            kind: format!("urn:tocsin:problem:{}", self.kind.1),
            title: self.kind.2.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            more: self.more.clone(),
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let media = HeaderValue::from_static(MEDIA_TYPE);
        response.headers_mut().insert(header::CONTENT_TYPE, media);
        self.mark(&mut response);
        response
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let kind = match &error {
            EngineError::Refused(Refusal::NotActive { .. } | Refusal::Stale(_)) => Kind::CONFLICT,
            EngineError::Refused(Refusal::Invalid(_))
            | EngineError::Commit(CommitError::TooLarge { .. }) => Kind::INVALID,
            EngineError::NoIncident(_) | EngineError::Refused(Refusal::Unseen) => Kind::NOT_FOUND,
            EngineError::Damaged(_) => {
                tracing::error!(%error, "stored data is damaged");
                Kind::INTERNAL
            }
            EngineError::Refused(Refusal::Classified) => Kind::FORBIDDEN,
            EngineError::Refused(Refusal::NeedsVerdict | Refusal::OtherStep)
            | EngineError::Commit(_)
            | EngineError::Store(_)
            | EngineError::Overloaded
            | EngineError::Stopping => Kind::UNAVAILABLE,
        };
        let problem = Self::new(kind, error.to_string());
        match &error {
            EngineError::Refused(Refusal::NotActive { number, status, .. }) => problem
                .with("incident", *number)
                .with("incident_status", json!(status)),
            _ => problem,
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let problem = Self::new(Kind::FORBIDDEN, denied.to_string());
        match denied {
            Denied::Scope { needs, .. } => problem.with("scope", needs.as_str()),
            Denied::Clearance | Denied::Left(_) => problem,
        }
    }
}

impl From<NotDone> for Problem {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::Denied(denied) => denied.into(),
            NotDone::Invalid(why) => Self::new(Kind::INVALID, why),
            NotDone::Missing(why) => Self::new(Kind::NOT_FOUND, why),
            NotDone::Engine(error) => error.into(),
        }
    }
}

impl From<tocsin_store::StoreError> for Problem {
    fn from(error: tocsin_store::StoreError) -> Self {
        EngineError::Store(error).into()
    }
}

impl From<SilenceError> for Problem {
    fn from(error: SilenceError) -> Self {
        match error {
            SilenceError::Engine(error) => error.into(),
            SilenceError::Refused(refusal @ SilenceRefusal::Unknown(_)) => {
                Self::new(Kind::NOT_FOUND, refusal.to_string())
            }
            SilenceError::Refused(refusal) => Self::new(Kind::MALFORMED, refusal.to_string()),
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let kind = match error {
            TokenError::Engine(error) => return error.into(),
            TokenError::Random(_) => Kind::INTERNAL,
            TokenError::Refused(TokenRefusal::Unknown(_)) => Kind::NOT_FOUND,
            TokenError::Refused(TokenRefusal::LastAdmin | TokenRefusal::TooMany) => Kind::TOKENS,
            TokenError::Refused(TokenRefusal::Invalid(_)) => Kind::INVALID,
        };
        Self::new(kind, error.to_string())
    }
}
