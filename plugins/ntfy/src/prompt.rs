//! A question as an ntfy message, with a button for each answer.

use crate::message::{ACTIONS_MAX, TITLE_CHARS_MAX, button, priority, sequence_id, with_body};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::text;
use tocsin_plugin_sdk::types::{Failure, Prompt};

/// The JSON to publish. `answers`: the answer topic, if there is one; `token` makes what means an
/// answer there.
///
/// # Errors
/// When the store is unavailable.
pub(crate) fn message(
    prompt: &Prompt,
    topic: &str,
    answers: Option<&str>,
    token: &mut dyn FnMut(&str, &str) -> Result<String, Failure>,
) -> Result<Value, Failure> {
    let page = &prompt.message;
    let mut actions = Vec::new();
    for choice in prompt.choices.iter().take(ACTIONS_MAX) {
        let label = text::one_line(&choice.label);
        match (answers, &choice.url) {
            (Some(url), _) => {
                let token = token(&format!("{}/{}", page.id, choice.id), &choice.id)?;
                actions.push(button(&label, url, Some(&token)));
            }
            (None, link) => actions.extend(link.as_ref().map(|it| button(&label, it, None))),
        }
    }
    let mut message = json!({
        "topic": topic,
        "title": text::cut(&text::title(page), TITLE_CHARS_MAX),
        "priority": priority(page),
        "tags": ["question"],
        "actions": actions,
        "sequence_id": sequence_id(&page.id),
    });
    if let Some(link) = text::first_link(page) {
        message["click"] = link.into();
    }
    Ok(with_body(message, &text::asked(prompt, false)))
}
