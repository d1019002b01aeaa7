//! `/ack/{token}`: the acknowledge link in a mail. Mail scanners open links, so GET only shows a
//! button; pressing the button acknowledges.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tocsin_core::incident::Incident;
use utoipa_axum::routes;

use super::Routes;
use super::blocking;
use super::path::Path;
use super::problem::Problem;
use crate::actions::{Ack, Caller, perform};
use crate::app::App;
use crate::auth::AckRefusal;
use crate::disclosure::Disclosed;
use crate::text::html_escaped;

/// The channel of acknowledgements by link.
const VIA: &str = "mail";
/// The page runs no scripts, loads nothing, and can post only to itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(show, acknowledge))
}

/// Shows the incident and an acknowledge button.
#[utoipa::path(
    get, path = "/ack/{token}", tag = "ack", security(),
    params(("token" = String, Path, description = "From the mail")),
    responses(
        (status = 200, description = "A page with a button"),
        (status = 403, description = "The link was not made by this daemon"),
        (status = 410, description = "The link has expired"),
    )
)]
async fn show(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let (caller, incident) = match read_link(&app, &token).await {
        Ok(found) => found,
        Err(page) => return page,
    };
    let headline = headline(&incident, &caller);
    let status = match (&incident.roles.operator, incident.lifecycle.acknowledged_at) {
        _ if !incident.is_active() => format!("It is already {}.", incident.lifecycle.status),
        (Some(operator), _) => format!("{operator} is the operator."),
        (None, Some(_)) => "It is already acknowledged.".to_owned(),
        (None, None) => "It is not acknowledged yet.".to_owned(),
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
            html_escaped(&headline),
            html_escaped(&status)
        ),
    )
}

/// Acknowledges in the name of the mail's recipient.
#[utoipa::path(
    post, path = "/ack/{token}", tag = "ack", security(),
    params(("token" = String, Path, description = "From the mail")),
    responses(
        (status = 200, description = "Acknowledged"),
        (status = 403, description = "The link was not made by this daemon"),
        (status = 409, description = "The incident is resolved or closed"),
        (status = 410, description = "The link has expired"),
    )
)]
async fn acknowledge(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let (caller, incident) = match read_link(&app, &token).await {
        Ok(found) => found,
        Err(page) => return page,
    };
    let action = Ack {}.into();
    match perform(&app.intake, caller, incident.id.clone(), action, VIA, None).await {
        Ok(outcome) => page(
            StatusCode::OK,
            &format!(
                "<h1>Acknowledged</h1><p>{}.</p>",
                html_escaped(&outcome.reply)
            ),
        ),
        Err(error) => problem_page(&error.into()),
    }
}

/// The person and the incident of a link, or an error page.
async fn read_link(app: &Arc<App>, token: &str) -> Result<(Caller, Arc<Incident>), Response> {
    let read = app.ack_links.read(token, app.clock.now());
    let claim = read.map_err(|refusal| {
        let status = match refusal {
            AckRefusal::Malformed => StatusCode::BAD_REQUEST,
            AckRefusal::Forged => StatusCode::FORBIDDEN,
            AckRefusal::Expired => StatusCode::GONE,
        };
        error_page(status, &refusal.to_string())
    })?;
    let caller = Caller::of_person(claim.person, &app.payloads.roster.people);
    let caller = caller.map_err(|denied| problem_page(&denied.into()))?;
    let (app, id) = (Arc::clone(app), claim.incident);
    let found = blocking(move || Ok(app.view.incident(&id)?)).await;
    match found {
        Ok(Some(state)) => Ok((caller, Arc::clone(&state.incident))),
        Ok(None) => Err(error_page(StatusCode::NOT_FOUND, "unknown incident")),
        Err(problem) => Err(problem_page(&problem)),
    }
}

/// The incident in one line, as far as the person may see it.
fn headline(incident: &Incident, caller: &Caller) -> String {
    let seen = Disclosed::of(incident, caller.clearance);
    let line = seen.line;
    let drill = if seen.drill { " (drill)" } else { "" };
    format!(
        "Incident {}, {}: {}{drill}",
        line.number, line.grade, line.title
    )
}

fn problem_page(problem: &Problem) -> Response {
    let mut page = error_page(problem.status(), problem.detail());
    problem.mark(&mut page);
    page
}

fn error_page(status: StatusCode, why: &str) -> Response {
    page(
        status,
        &format!("<h1>Not acknowledged</h1><p>{}.</p>", html_escaped(why)),
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
