//! `POST /ingest/{integration}`: accepts alerts in the format of the integration's kind.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::json;
use tocsin_core::IntegrationId;
use tocsin_plugin_host::manifest::{HmacHash, Scheme, Signed, VerifyAsk};
use tocsin_plugin_host::verify;
use utoipa_axum::routes;

use super::body::Unpacked;
use super::guard::Holder;
use super::path::Path;
use super::problem::{Kind, Problem};
use super::{RequestId, Routes, parsing, sns};
use crate::app::App;
use crate::auth::redact_token;
use crate::config::{IntegrationConfig, IntegrationKind};
use crate::ingest::{self, Malformed, Note, Parsed, Received, Rejected, cloudwatch, sentry};

/// Most rejected alerts that a response lists.
const REJECTED_SHOWN_MAX: usize = 100;

/// What became of a sender's alerts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Accepted {
    /// How many alerts were accepted; each is durable.
    signals: usize,
    /// The numbers of the incidents that they opened.
    opened: Vec<u64>,
    /// Alerts that could not be read, each with `index`, `pointer` and `message`.
    #[schema(value_type = Vec<Object>)]
    rejected: Vec<Rejected>,
    /// What was truncated or left out of the accepted alerts.
    #[schema(value_type = Vec<Object>)]
    notes: Vec<Note>,
}

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(ingest))
}

/// Accepts alerts in the format of the integration's kind; needs that integration's ingest token.
#[utoipa::path(
    post, path = "/ingest/{integration}", tag = "ingest",
    security(("token" = ["ingest"])),
    params(("integration" = String, Path, description = "The ID in [integrations.ID]")),
    request_body(content = Object, description = "In the format of the integration's kind"),
    responses(
        (status = 202, description = "Accepted and durable", body = Accepted),
        (status = 400, description = "None of it can be read"),
        (status = 503, description = "Unavailable; send it again"),
    )
)]
async fn ingest(
    State(app): State<Arc<App>>,
    holder: Holder,
    Path(integration): Path<String>,
    Extension(RequestId(id)): Extension<RequestId>,
    headers: HeaderMap,
    Unpacked(body): Unpacked,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    let integration = IntegrationId(integration);
    holder.need_ingest(&integration)?;
    let config = app.config.integrations.get(&integration).cloned();
    let Some(config) = config else {
        let named = redact_token(&integration.0);
        let detail = format!("there is no integration `{named}` in the configuration");
        return Err(Problem::new(Kind::NOT_FOUND, detail));
    };
    let ctx = Received::new(integration, app.clock.now(), id);
    if config.kind == IntegrationKind::Cloudwatch {
        return from_sns(&app, &config, &body, &ctx).await;
    }
    if config.kind == IntegrationKind::Sentry {
        verify_sentry(&config, &headers, &body, &ctx)?;
    }
    let parsed = parsing(body.len(), move || parse(&config, &body, &ctx)).await?;
    take(&app, parsed).await
}

/// Takes a message of Amazon SNS, and remembers that it did.
async fn from_sns(
    app: &Arc<App>,
    config: &IntegrationConfig,
    body: &[u8],
    ctx: &Received,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    match sns::checked(app, &ctx.integration, config, body).await? {
        sns::Checked::New(message) => {
            let parsed = cloudwatch::parse(message.message().as_bytes(), ctx);
            let taken = take(app, parsed).await?;
            sns::remember(app, &message).await?;
            Ok(taken)
        }
        sns::Checked::Nothing(why) => {
            let mut parsed = Parsed::default();
            parsed.note("", why);
            take(app, parsed).await
        }
    }
}

/// Checks that Sentry signed a request. It signs only the body, so two equal ones are two.
fn verify_sentry(
    config: &IntegrationConfig,
    headers: &HeaderMap,
    body: &[u8],
    ctx: &Received,
) -> Result<(), Problem> {
    let unavailable = || {
        let why = "the sender cannot be verified at the moment";
        Problem::new(Kind::UNAVAILABLE, why)
    };
    // The configuration is not valid without one.
    let secret = config.secret.as_ref().ok_or_else(unavailable)?.read();
    let secret = secret.map_err(|error| {
        tracing::error!(integration = %ctx.integration, %error, "a secret cannot be read");
        unavailable()
    })?;
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let ask = VerifyAsk {
        scheme: Scheme::Hmac {
            hash: HmacHash::Sha256,
            signed: Signed::Body,
            header: sentry::SIGNATURE.to_owned(),
        },
        secret: "secret".to_owned(),
        tolerance_s: 0,
        id_headers: Vec::new(),
    };
    let signed = tocsin_plugin_host::Received {
        url: "",
        headers: &headers,
        body,
        now_ms: 0,
    };
    let verified = verify(&ask, secret.expose_secret(), signed);
    verified.map(drop).map_err(|error| {
        tracing::warn!(integration = %ctx.integration, %error, "a request was refused");
        Problem::new(Kind::FORBIDDEN, error.to_string())
    })
}

async fn take(
    app: &Arc<App>,
    parsed: Parsed,
) -> Result<(StatusCode, axum::Json<Accepted>), Problem> {
    let Parsed {
        signals,
        rejected,
        notes,
    } = parsed;
    let rejected = shown(rejected);
    if signals.is_empty() && !rejected.is_empty() {
        let detail = "none of the alerts can be read; `rejected` says why";
        return Err(Problem::new(Kind::MALFORMED, detail).with("rejected", json!(rejected)));
    }
    let taken = app.intake.take(signals).await?;
    let accepted = Accepted {
        signals: taken.signals,
        opened: taken.opened,
        rejected,
        notes,
    };
    Ok((StatusCode::ACCEPTED, axum::Json(accepted)))
}

/// The first ones; otherwise a small body could cause a response twenty times its size.
fn shown(mut rejected: Vec<Rejected>) -> Vec<Rejected> {
    let beyond = rejected.len().saturating_sub(REJECTED_SHOWN_MAX);
    if let Some(first) = rejected.get_mut(REJECTED_SHOWN_MAX) {
        first.pointer = String::new();
        first.message = format!("{beyond} further alerts cannot be read and are not listed");
        rejected.truncate(REJECTED_SHOWN_MAX + 1);
    }
    rejected
}

fn parse(config: &IntegrationConfig, body: &[u8], ctx: &Received) -> Result<Parsed, Problem> {
    let mapping = config.mapping.as_ref();
    let Some(parsed) = ingest::parse(config.kind, mapping, body, ctx) else {
        let path = match config.kind {
            IntegrationKind::Pagerduty => "/v2/enqueue",
            _ => "/api/v2/alerts",
        };
        let detail = format!(
            "the integration `{}` accepts its alerts at {path}",
            ctx.integration
        );
        return Err(Problem::new(Kind::NOT_FOUND, detail));
    };
    parsed.map_err(malformed)
}

/// The problem of a body that cannot be read.
pub(super) fn malformed(fault: Malformed) -> Problem {
    let problem = Problem::new(Kind::MALFORMED, fault.to_string());
    match fault.pointer {
        Some(pointer) => problem.with("pointer", pointer),
        None => problem,
    }
}
