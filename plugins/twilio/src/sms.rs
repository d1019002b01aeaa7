//! Text messages.

use crate::api::Found;
use crate::{SMS, Sent, api, replies};
use tocsin_plugin_sdk::types::{Failure, Outcome, Page, Timestamp};
use tocsin_plugin_sdk::{pages, text};

/// Twilio's name for messages, and the `once` key: a delivery sends one.
pub(crate) const MESSAGES: &str = "Messages";
/// Twilio refuses more; every 153 characters are paid for.
pub(crate) const BODY_CHARS_MAX: usize = 1600;

/// Pages a person by text message.
pub(crate) fn text(page: &Page, number: &str, at: Timestamp) -> Result<Outcome, Failure> {
    deliver(
        page,
        (SMS.into(), number.into()),
        &body(page),
        Vec::new(),
        at,
    )
}

/// Sends a text to a contact, and has its replies read; `choices`: the answers to a question.
pub(crate) fn deliver(
    page: &Page,
    (kind, number): (String, String),
    body: &str,
    choices: Vec<String>,
    at: Timestamp,
) -> Result<Outcome, Failure> {
    let text = send(body, &number, at)?;
    let sent = Sent {
        kind,
        number,
        call: None,
        at: text.at.unwrap_or(at),
        text: Some(text.sid),
        choices,
        test: page.test,
    };
    if pages::remember(page, &sent)? {
        replies::read_later()?;
    } else {
        pages::forget(&page.id)?;
    }
    Ok(Outcome::Done)
}

/// Sends a text, or finds the one that an earlier attempt may have sent.
pub(crate) fn send(body: &str, number: &str, at: Timestamp) -> Result<Found, Failure> {
    let from = api::from();
    let fields = [("To", number), ("From", &from), ("Body", body)];
    // The rest says how long ago it was, and has a link that is made anew.
    let title = |body: &str| body.lines().next().map(str::to_string);
    api::create(MESSAGES, &fields, at, |it| title(&it.body) == title(body))
}

pub(crate) fn body(page: &Page) -> String {
    let all = match page.items.len() + page.others.len() {
        0 | 1 => String::new(),
        total => format!(" all {total}"),
    };
    let link = page.ack_url.as_ref();
    let how = link.map(|it| format!("Reply 1 to acknowledge{all} or open {it}"));
    let how = how.unwrap_or_default();
    let room = BODY_CHARS_MAX.saturating_sub(how.chars().count() + 1);
    let told = text::cut(&text::brief(page), room);
    text::cut(format!("{told}\n{how}").trim_end(), BODY_CHARS_MAX)
}
