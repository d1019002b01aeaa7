//! A question as a Pushover message. Pushover has no buttons, so each answer is a link.

use crate::api;
use crate::message::{
    self, MESSAGE_CHARS_MAX, Message, TITLE_CHARS_MAX, URL_CHARS_MAX, URL_TITLE_CHARS_MAX,
};
use tocsin_plugin_sdk::types::{Failure, Outcome, Prompt};
use tocsin_plugin_sdk::{pages, text};

pub(crate) fn send(prompt: &Prompt) -> Result<Outcome, Failure> {
    let page = &prompt.message;
    if pages::is_over(page)? {
        return Ok(Outcome::Ignored);
    }
    let body = text::asked(prompt, true);
    let mut fields = vec![
        ("user", message::address(page)?),
        ("title", text::cut(&text::title(page), TITLE_CHARS_MAX)),
        ("message", text::cut(&body, MESSAGE_CHARS_MAX)),
        ("priority", message::priority(page).to_string()),
    ];
    let mut links = prompt
        .choices
        .iter()
        .filter_map(|it| Some((&it.label, it.url.as_ref()?)));
    if let Some((label, url)) = links.find(|it| it.1.chars().count() <= URL_CHARS_MAX) {
        fields.push(("url", url.clone()));
        fields.push(("url_title", text::cut(label, URL_TITLE_CHARS_MAX)));
    }
    api::send(&Message { fields, tag: None })?;
    Ok(Outcome::Done)
}
