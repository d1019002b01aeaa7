//! A question as an ntfy message: an ordinary notification, and a silent one about a minor
//! incident.

use crate::message::{ACTIONS_MAX, TITLE_CHARS_MAX, button, sequence_id, with_body, worst};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::text;
use tocsin_plugin_sdk::types::{Failure, Grade, Prompt};

/// As any message: a sound, if the phone is not silent.
const PRIORITY: i64 = 3;
/// No sound.
const SILENT: i64 = 2;

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
        "priority": if worst(page) == Grade::Minor { SILENT } else { PRIORITY },
        "tags": ["question"],
        "actions": actions,
        "sequence_id": sequence_id(&page.id),
    });
    if let Some(link) = text::first_link(page) {
        message["click"] = link.into();
    }
    Ok(with_body(message, &text::asked(prompt, false)))
}
