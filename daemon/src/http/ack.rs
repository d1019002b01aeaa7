//! `/ack/{token}`: the link in a mail. Mail scanners open links, so opening it shows a button
//! and does nothing; only pressing the button acknowledges.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tocsin_core::command::Command;
use tocsin_core::incident::Incident;
use tocsin_core::{Actor, PersonId};

use super::blocking;
use super::path::Path;
use super::problem::Problem;
use crate::app::App;
use crate::mail::{AckClaim, AckRefusal};
use crate::runtime::EngineError;

/// The channel that an acknowledgement by link came through.
const VIA: &str = "mail";
/// The page runs nothing, loads nothing and posts to itself only.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

/// Shows the incident and one button.
#[utoipa::path(
    get, path = "/ack/{token}", tag = "ack", security(),
    params(("token" = String, Path, description = "From the mail")),
    responses(
        (status = 200, description = "A page with one button"),
        (status = 403, description = "The link is not ours"),
        (status = 410, description = "The link has expired"),
    )
)]
pub(super) async fn show(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let read = claim(&app, &token);
    let (claim, incident) = match incident(&app, read).await {
        Ok(found) => found,
        Err(page) => return page,
    };
    let headline = headline(&app, &incident, &claim.person);
    let status = match (&incident.roles.operator, incident.lifecycle.acknowledged_at) {
        _ if !incident.is_active() => format!("It is {} already.", incident.lifecycle.status),
        (Some(operator), _) => format!("{operator} is the operator."),
        (None, Some(_)) => "Somebody has it already.".to_owned(),
        (None, None) => "Nobody has it yet.".to_owned(),
    };
    let button = if incident.is_active() {
        "<form method=\"post\"><button>Acknowledge</button></form>"
    } else {
        ""
    };
    page(
        StatusCode::OK,
        &format!(
            "<h1>{}</h1><p>{}</p>{button}",
            escaped(&headline),
            escaped(&status)
        ),
    )
}

/// Acknowledges for the person whom the mail went to.
#[utoipa::path(
    post, path = "/ack/{token}", tag = "ack", security(),
    params(("token" = String, Path, description = "From the mail")),
    responses(
        (status = 200, description = "It is acknowledged"),
        (status = 403, description = "The link is not ours"),
        (status = 409, description = "The incident is over"),
        (status = 410, description = "The link has expired"),
    )
)]
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
) -> Response {
    let read = claim(&app, &token);
    let claim = match incident(&app, read).await {
        Ok((claim, _)) => claim,
        Err(page) => return page,
    };
    let command = Command::Acknowledge {
        via: VIA.to_owned(),
    };
    let by = Actor::Person(claim.person);
    match app.intake.command(claim.incident, by, command, None).await {
        Ok(done) => page(
            StatusCode::OK,
            &format!("<h1>Done</h1><p>{}.</p>", escaped(&done.reply)),
        ),
        Err(error) => failed(error),
    }
}

fn claim(app: &App, token: &str) -> Result<AckClaim, AckRefusal> {
    app.ack_links.read(token, app.clock.now())
}

async fn incident(
    app: &Arc<App>,
    read: Result<AckClaim, AckRefusal>,
) -> Result<(AckClaim, Arc<Incident>), Response> {
    let claim = read.map_err(|refusal| {
        let status = match refusal {
            AckRefusal::Malformed => StatusCode::BAD_REQUEST,
            AckRefusal::Forged => StatusCode::FORBIDDEN,
            AckRefusal::Expired => StatusCode::GONE,
        };
        sorry(status, &refusal.to_string())
    })?;
    if !app.config.people.contains_key(&claim.person) {
        let why = format!("{} is no longer in the configuration", claim.person);
        return Err(sorry(StatusCode::FORBIDDEN, &why));
    }
    let (app, id) = (Arc::clone(app), claim.incident.clone());
    let found = blocking(move || Ok(app.view.incident(&id)?)).await;
    match found {
        Ok(Some(state)) => Ok((claim, Arc::clone(&state.incident))),
        Ok(None) => Err(sorry(StatusCode::NOT_FOUND, "this incident is not known")),
        Err(problem) => Err(told(&problem)),
    }
}

/// The incident in one line, as far as the person may see it.
fn headline(app: &App, incident: &Incident, person: &PersonId) -> String {
    let cleared = app.config.people.get(person).is_some_and(|it| it.clearance);
    let mut line = format!("Incident {}, {}", incident.number, incident.grading.grade);
    if !incident.grading.security || cleared {
        line = format!("{line}: {}", incident.about.title);
    }
    if incident.about.drill {
        line.push_str(" (drill)");
    }
    line
}

fn failed(error: EngineError) -> Response {
    told(&Problem::from(error))
}

/// A problem as a page, under its own status.
fn told(problem: &Problem) -> Response {
    let mut page = sorry(problem.status(), problem.detail());
    problem.mark(&mut page);
    page
}

fn sorry(status: StatusCode, why: &str) -> Response {
    page(
        status,
        &format!("<h1>Not acknowledged</h1><p>{}.</p>", escaped(why)),
    )
}

fn page(status: StatusCode, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>tocsin</title>\
         <style>body{{font:1.2em sans-serif;margin:2em auto;max-width:30em;padding:0 1em}}\
         button{{font:inherit;padding:.8em 1.6em}}</style>{body}</html>\n"
    );
    let mut response = (status, html).into_response();
    let headers: [(HeaderName, &'static str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
