//! `/ack/{token}`: the acknowledge link of a page. Mail scanners open links, so GET only shows what
//! the page says and a button; pressing the button acknowledges, through the channel of the link.

mod html;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tocsin_core::PageId;
use tocsin_core::incident::Incident;
use utoipa_axum::routes;

use self::html::Shown;
use super::Routes;
use super::blocking;
use super::path::Path;
use super::problem::Problem;
use crate::actions::{Caller, Paged, acknowledge};
use crate::app::App;
use crate::auth::{AckClaim, AckRefusal, AckTarget};
use crate::runtime::IncidentState;
use crate::text::html_escaped;

/// The page runs no scripts, loads nothing, and can post only to itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(show, press))
}

/// Shows what the page says and its buttons.
#[utoipa::path(
    get, path = "/ack/{token}", tag = "ack", security(),
    params(("token" = String, Path, description = "From the page")),
    responses(
        (status = 200, description = "A page with a button"),
        (status = 403, description = "The link was not made by this daemon"),
        (status = 410, description = "The link has expired"),
    )
)]
async fn show(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let (link, _) = match read_link(&app, &token).await {
        Ok(found) => found,
        Err(page) => return page,
    };
    let now = app.clock.now();
    let body = blocking(move || {
        let pages: Vec<_> = link.pages.iter().map(|it| (it.0.as_ref(), it.1)).collect();
        let (to, store) = (&link.claim.person, app.store.as_ref());
        let content = app.payloads.page_content(&pages, to, store, None, now)?;
        let shown = content.items.iter().map(|item| {
            let of_item = |it: &&(Arc<IncidentState>, u32)| item.id == it.0.incident.page_id(it.1);
            let incident = link
                .pages
                .iter()
                .find(of_item)
                .map(|it| it.0.incident.as_ref());
            Shown {
                item,
                status: incident.map(status).unwrap_or_default(),
                is_active: incident.is_some_and(Incident::is_active),
            }
        });
        let shown: Vec<_> = shown.collect();
        Ok(html::body(&content, &shown))
    });
    match body.await {
        Ok(body) => page(StatusCode::OK, &body),
        Err(problem) => problem_page(&problem),
    }
}

fn status(incident: &Incident) -> String {
    match (&incident.roles.operator, incident.lifecycle.acknowledged_at) {
        _ if !incident.is_active() => format!("It is already {}.", incident.lifecycle.status),
        (Some(operator), _) => format!("{operator} is the operator."),
        (None, Some(_)) => "It is already acknowledged.".to_owned(),
        (None, None) => "It is not acknowledged yet.".to_owned(),
    }
}

/// Acknowledges in the name of the page's recipient.
#[utoipa::path(
    post, path = "/ack/{token}", tag = "ack", security(),
    params(("token" = String, Path, description = "From the page")),
    responses(
        (status = 200, description = "Acknowledged"),
        (status = 403, description = "The link was not made by this daemon"),
        (status = 409, description = "The incident is resolved or closed"),
        (status = 410, description = "The link has expired"),
    )
)]
async fn press(State(app): State<Arc<App>>, Path(token): Path<String>, body: Bytes) -> Response {
    let (link, caller) = match read_link(&app, &token).await {
        Ok(found) => found,
        Err(page) => return page,
    };
    // A channel's button has no form; a browser's names the item, or nothing for all.
    let mut fields = url::form_urlencoded::parse(&body);
    let item = fields.find(|(name, _)| name == "item");
    let item = item.map(|(_, id)| PageId::from(id.as_ref()));
    let paged = match (item, link.claim.of) {
        (None, AckTarget::Page { page, .. }) => Paged::Page(page),
        (None, AckTarget::Message { message }) => Paged::Message(message),
        (Some(item), _)
            if link
                .pages
                .iter()
                .any(|it| it.0.incident.page_id(it.1) == item) =>
        {
            Paged::Page(item)
        }
        (Some(_), _) => return error_page(StatusCode::NOT_FOUND, "the page has no such item"),
    };
    match acknowledge(&app.intake, caller, paged, &link.claim.via, None).await {
        Ok(reply) => page(
            StatusCode::OK,
            &format!("<h1>Acknowledged</h1><p>{}.</p>", html_escaped(&reply)),
        ),
        Err(error) => problem_page(&error.into()),
    }
}

/// A link that was checked.
struct Link {
    claim: AckClaim,
    /// Its pages, each with its incident and its number within it.
    pages: Vec<(Arc<IncidentState>, u32)>,
}

/// The person and the pages of a link, or an error page.
async fn read_link(app: &Arc<App>, token: &str) -> Result<(Link, Caller), Response> {
    let read = app.ack_links.read(token, app.clock.now());
    let claim = read.map_err(|refusal| {
        let status = match refusal {
            AckRefusal::Malformed => StatusCode::BAD_REQUEST,
            AckRefusal::Forged => StatusCode::FORBIDDEN,
            AckRefusal::Expired => StatusCode::GONE,
        };
        error_page(status, &refusal.to_string())
    })?;
    let people = &app.payloads.roster.people;
    let caller = Caller::of_person(claim.person.clone(), people);
    let caller = caller.map_err(|denied| problem_page(&denied.into()))?;
    let (app, of) = (Arc::clone(app), claim.of.clone());
    let found = blocking(move || {
        let pages = match of {
            AckTarget::Page { incident, page } => {
                let page = page.parts().map_or(0, |(_, number)| number);
                vec![(incident, page)]
            }
            AckTarget::Message { message } => {
                let pages = app.intake.pages_of(&message)?;
                pages.into_iter().map(|it| (it.incident, it.page)).collect()
            }
        };
        let mut found = Vec::new();
        for (incident, page) in pages {
            found.extend(app.view.incident(&incident)?.map(|it| (it, page)));
        }
        Ok(found)
    });
    match found.await {
        Ok(pages) if pages.is_empty() => Err(error_page(StatusCode::NOT_FOUND, "unknown incident")),
        Ok(pages) => Ok((Link { claim, pages }, caller)),
        Err(problem) => Err(problem_page(&problem)),
    }
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
    let html = html::document(body);
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
