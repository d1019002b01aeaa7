//! A question as a text message, whatever number the person has. It is answered by a reply or by
//! one of its links.

use crate::sms::{self, BODY_CHARS_MAX};
use crate::{Sent, call, contact};
use tocsin_plugin_sdk::commands::CommandError;
use tocsin_plugin_sdk::types::{Failure, Outcome, Prompt, Timestamp};
use tocsin_plugin_sdk::{commands, pages, text};

/// Asks a person by text message.
pub(crate) fn send(prompt: &Prompt, at: Timestamp) -> Result<Outcome, Failure> {
    let page = &prompt.message;
    if pages::is_over(page)? {
        return Ok(Outcome::Ignored);
    }
    let choices = prompt.choices.iter().map(|it| it.id.clone()).collect();
    sms::deliver(page, contact(page)?, &body(prompt), choices, at)
}

/// The answer that a reply chooses by its number.
pub(crate) fn chosen<'a>(sent: &'a Sent, word: &str) -> Option<&'a String> {
    let at = word.parse::<usize>().ok()?.checked_sub(1)?;
    sent.choices.get(at)
}

/// Gives an answer; returns what to tell the person.
pub(crate) fn answer(page: &str, sent: &Sent, choice: &str) -> Result<String, Failure> {
    call::set_pressed(page)?;
    let answer = || match commands::answer(page, choice, &sent.who()) {
        Err(CommandError::Invalid(why)) => Ok(format!("Not answered: {why}.")),
        done => done,
    };
    let said = pages::once(&format!("answer:{page}"), answer)?;
    Ok(said.unwrap_or_else(|| "This question needs no answer any more.".into()))
}

fn body(prompt: &Prompt) -> String {
    let total = prompt.message.items.len() + prompt.message.others.len();
    let mut lines = vec![text::one_line(&prompt.otherwise)];
    if total > 1 {
        lines.push(format!("One answer counts for all {total}."));
    }
    lines.extend(prompt.choices.iter().zip(1..).map(|(it, number)| {
        let link = it.url.as_ref().map(|it| format!(", or open {it}"));
        let label = text::one_line(&it.label);
        format!("Reply {number}: {label}{}", link.unwrap_or_default())
    }));
    let how = lines.join("\n");
    let room = BODY_CHARS_MAX.saturating_sub(how.chars().count() + 1);
    let told = text::cut(&text::brief(&prompt.message), room);
    text::cut(&format!("{told}\n{how}"), BODY_CHARS_MAX)
}
