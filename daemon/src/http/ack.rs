//! `/ack/{token}`: the link of a page that acknowledges, or of a question that gives an answer.
//! Mail scanners open links, so GET only shows what the message says and a button; pressing the
//! button acknowledges or answers, through the channel of the link.

mod html;

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tocsin_core::incident::{Incident, PromptState};
use tocsin_core::trial::TestPage;
use tocsin_core::{PageId, PromptId, Question, TestId};
use utoipa_axum::routes;

use self::html::Shown;
use super::Routes;
use super::blocking;
use super::path::Path;
use super::problem::Problem;
use crate::actions::{Asked, Caller, Paged, acknowledge, answer};
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
    if let Some((id, test)) = &link.test {
        let content = app.payloads.test_content(id, test, now);
        let status = match test.pressed_at {
            Some(_) => "It is already acknowledged.",
            None => "It is not acknowledged yet.",
        };
        let shown = content.items.iter().map(|item| Shown {
            item,
            status: status.to_owned(),
            is_active: test.pressed_at.is_none(),
        });
        let shown: Vec<_> = shown.collect();
        return page(StatusCode::OK, &html::body(&content, &shown, None));
    }
    let pages: Vec<_> = link.pages.iter().map(|it| (it.0.as_ref(), it.1)).collect();
    let to = &link.claim.person;
    let content = app
        .payloads
        .page_content(&pages, link.question, to, None, now);
    let shown = content.items.iter().map(|item| {
        let mut pages = link.pages.iter();
        let of = pages.find(|it| item.id == link.id_of(&it.0.incident, it.1));
        let (status, is_active) = match of {
            Some((state, number)) => link.standing(&state.incident, *number),
            None => Default::default(),
        };
        Shown {
            item,
            status,
            is_active,
        }
    });
    let shown: Vec<_> = shown.collect();
    let body = html::body(&content, &shown, link.choice().as_deref());
    page(StatusCode::OK, &body)
}

/// Where a question stands, in a sentence, and whether it can still be answered.
fn asked(incident: &Incident, prompt: u32) -> (String, bool) {
    let asked = incident.prompts.all.get(&prompt);
    let status = match asked.map(|it| (&it.state, it.question)) {
        Some((PromptState::Open, _)) => return ("Nobody has answered yet.".to_owned(), true),
        Some((PromptState::Answered { by, choice }, question)) => {
            let label = question.choice(choice).map_or("", |it| it.label);
            format!("{by} has answered: {label}.")
        }
        Some((PromptState::Expired, _)) => "Nobody answered in time.".to_owned(),
        Some((PromptState::Settled, _)) | None => "It needs no answer any more.".to_owned(),
    };
    (status, false)
}

fn status(incident: &Incident) -> String {
    match (&incident.roles.operator, incident.lifecycle.acknowledged_at) {
        _ if !incident.is_active() => format!("It is already {}.", incident.lifecycle.status),
        (Some(operator), _) => format!("{operator} is the operator."),
        (None, Some(_)) => "It is already acknowledged.".to_owned(),
        (None, None) => "It is not acknowledged yet.".to_owned(),
    }
}

/// Acknowledges or answers in the name of the message's recipient.
#[utoipa::path(
    post, path = "/ack/{token}", tag = "ack", security(),
    params(("token" = String, Path, description = "From the page")),
    responses(
        (status = 200, description = "Acknowledged or answered"),
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
    if let AckTarget::Answer { message, choice } = link.claim.of {
        let asked = Asked::Message(message);
        let answered = answer(&app.intake, caller, asked, choice, &link.claim.via, None).await;
        return match answered {
            Ok(reply) => done_page("Thank you", &reply),
            Err(error) => problem_page(&error.into()),
        };
    }
    // A channel's button has no form; a browser's names the item, or nothing for all.
    let mut fields = url::form_urlencoded::parse(&body);
    let item = fields.find(|(name, _)| name == "item");
    let item = item.map(|(_, id)| PageId::from(id.as_ref()));
    let paged = match (item, link.claim.of) {
        (None, AckTarget::Page { page, .. }) => Paged::Page(page),
        (None, AckTarget::Message { message } | AckTarget::Answer { message, .. }) => {
            Paged::Message(message)
        }
        (_, AckTarget::Test { test }) => Paged::Test(test),
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
        Ok(reply) => done_page("Acknowledged", &reply),
        Err(error) => problem_page(&error.into()),
    }
}

/// A link that was checked.
struct Link {
    claim: AckClaim,
    /// Its pages or questions, each with its incident and its number within it.
    pages: Vec<(Arc<IncidentState>, u32)>,
    /// What is asked; `None`: it acknowledges.
    question: Option<Question>,
    /// The test that it is about, if it is.
    test: Option<(TestId, TestPage)>,
}

impl Link {
    /// The label of the answer that it gives.
    fn choice(&self) -> Option<String> {
        let AckTarget::Answer { choice, .. } = &self.claim.of else {
            return None;
        };
        let known = self.question.and_then(|it| it.choice(choice));
        Some(known.map_or_else(|| choice.clone(), |it| it.label.to_owned()))
    }

    fn id_of(&self, incident: &Incident, number: u32) -> String {
        match self.question {
            None => incident.page_id(number).to_string(),
            Some(_) => PromptId::of(&incident.id, number).to_string(),
        }
    }

    /// Where a page or a question stands, in a sentence, and whether its button does something.
    fn standing(&self, incident: &Incident, number: u32) -> (String, bool) {
        match self.question {
            None => (status(incident), incident.is_active()),
            Some(_) => asked(incident, number),
        }
    }
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
        let (mut question, mut test) = (None, None);
        let pages = match of {
            AckTarget::Page { incident, page } => {
                let page = page.parts().map_or(0, |(_, number)| number);
                vec![(incident, page)]
            }
            AckTarget::Message { message } | AckTarget::Answer { message, .. } => {
                let pages = app.intake.pages_of(&message)?;
                question = pages.first().and_then(|it| it.question);
                pages.into_iter().map(|it| (it.incident, it.page)).collect()
            }
            AckTarget::Test { test: id } => {
                test = app.intake.test(&id)?.map(|it| (id, it));
                Vec::new()
            }
        };
        let mut found = Vec::new();
        for (incident, page) in pages {
            found.extend(app.view.incident(&incident)?.map(|it| (it, page)));
        }
        Ok((found, question, test))
    });
    match found.await {
        Ok((pages, _, None)) if pages.is_empty() => {
            Err(error_page(StatusCode::NOT_FOUND, "unknown incident"))
        }
        Ok((pages, question, test)) => {
            let link = Link {
                claim,
                pages,
                question,
                test,
            };
            Ok((link, caller))
        }
        Err(problem) => Err(problem_page(&problem)),
    }
}

fn problem_page(problem: &Problem) -> Response {
    let mut page = error_page(problem.status(), problem.detail());
    problem.mark(&mut page);
    page
}

fn done_page(done: &str, reply: &str) -> Response {
    let body = format!("<h1>{done}</h1><p>{}.</p>", html_escaped(reply));
    page(StatusCode::OK, &body)
}

fn error_page(status: StatusCode, why: &str) -> Response {
    page(
        status,
        &format!("<h1>This did not work</h1><p>{}.</p>", html_escaped(why)),
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
