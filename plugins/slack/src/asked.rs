//! Messages with buttons: pages and prompts. Once one is answered, its buttons are replaced with a
//! note that says who answered.

use crate::api;
use crate::blocks::Message;
use crate::post::Post;
use crate::{blocks, room, text};
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{
    Delivery, Failure, Outcome, Page, Person, Prompt, Settled, Timestamp,
};
use tocsin_plugin_sdk::{jobs, kv, log};

/// How long a message with buttons is remembered.
const ASKED_TTL_MS: u64 = 7 * 24 * 3_600_000;
/// Longer than the delivery of a page can be retried.
const SETTLED_TTL_MS: u64 = 24 * 3_600_000;

/// A posted message with buttons.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The channel's id.
    pub(crate) channel: String,
    /// The message's timestamp, which is its id in Slack.
    pub(crate) ts: String,
    pub(crate) text: String,
}

/// Pages a person by direct message.
pub(crate) fn page(page: &Page, at: Timestamp) -> Result<Outcome, Failure> {
    if settled_note(&page.id)?.is_some() {
        return Ok(Outcome::Ignored);
    }
    let user = contact(&page.to)?;
    let channel = direct_channel(user)?;
    ask(&page.id, "page", &channel, blocks::page(page), at)?;
    let payload = json!({"incident": page.incident.id, "user": user});
    let once = format!("invite:{}:{user}", page.incident.id);
    jobs::enqueue("invite", &payload, Some(&once))?;
    Ok(Outcome::Done)
}

/// Asks a person, or the war room, a question.
pub(crate) fn prompt(
    prompt: &Prompt,
    delivery: &Delivery,
    at: Timestamp,
) -> Result<Outcome, Failure> {
    if settled_note(&prompt.id)?.is_some() {
        return Ok(Outcome::Ignored);
    }
    let channel = match (&prompt.to, &prompt.incident) {
        (Some(person), _) => direct_channel(contact(person)?)?,
        (None, Some(incident)) => room::ensure(incident, delivery)?.channel,
        (None, None) => {
            return Err(Failure::Permanent(
                "the prompt has neither a person nor an incident".into(),
            ));
        }
    };
    ask(&prompt.id, "prompt", &channel, blocks::prompt(prompt), at)?;
    Ok(Outcome::Done)
}

/// Removes the buttons because no answer is needed anymore.
pub(crate) fn settled(settled: &Settled) -> Result<Outcome, Failure> {
    let by = settled.by.as_ref().map(text::actor);
    let note = match (&settled.choice, by) {
        (Some(choice), Some(by)) => format!("{by} answered: {}", text::escape(choice)),
        (Some(choice), None) => format!("Answered: {}", text::escape(choice)),
        (None, Some(by)) => format!(":white_check_mark: Acknowledged by {by}"),
        (None, None) => "No answer is needed anymore".into(),
    };
    settle(&settled.id, &note, None)
}

/// Replaces the buttons with a note; the first note stays. `pressed` is the message with the
/// button, in case the store has no row for it.
pub(crate) fn settle(id: &str, note: &str, pressed: Option<Asked>) -> Result<Outcome, Failure> {
    // First the mark, then the message: a page that is being posted right now reads the mark
    // after it wrote its row, so one of the two removes the button.
    let note = match settled_note(id)? {
        Some(first) => first,
        None => {
            note_down(&settled_key(id), &note, SETTLED_TTL_MS)?;
            note.to_string()
        }
    };
    let row = kv::get::<Asked>(&asked_key(id))?;
    let Some(asked) = row.map(|it| it.value).or(pressed) else {
        return Ok(Outcome::Ignored);
    };
    close(&asked, &note)?;
    kv::delete(&asked_key(id))?;
    Ok(Outcome::Done)
}

/// Posts a message that only one person in a channel can see.
pub(crate) fn tell(channel: &str, user: &str, what: &str) -> Result<Outcome, Failure> {
    let params = [("channel", channel), ("user", user), ("text", what)];
    match api::post("chat.postEphemeral", &params, Some("tell")) {
        Ok(_) => Ok(Outcome::Done),
        Err(error) => Err(error.into_failure("chat.postEphemeral")),
    }
}

fn ask(
    id: &str,
    kind: &str,
    channel: &str,
    message: Message,
    at: Timestamp,
) -> Result<(), Failure> {
    let text = message.text.clone();
    let ts = Post {
        channel,
        effect: format!("{kind}:{id}"),
        since: at,
        message,
    }
    .send()?;
    let asked = Asked {
        channel: channel.into(),
        ts,
        text,
    };
    note_down(&asked_key(id), &asked, ASKED_TTL_MS)?;
    if let Some(note) = settled_note(id)? {
        close(&asked, &note)?;
    }
    Ok(())
}

/// A full store must not turn a page that was sent into a failed one; only the removal of its
/// button is lost.
fn note_down<T: Serialize>(key: &str, value: &T, ttl_ms: u64) -> Result<(), Failure> {
    match kv::set(key, value, Some(ttl_ms)) {
        Err(Failure::Permanent(why)) => log::error(&why, &[("key", key)]),
        Err(error) => return Err(error),
        Ok(_) => {}
    }
    Ok(())
}

fn close(asked: &Asked, note: &str) -> Result<(), Failure> {
    let message = Message::settled(&asked.text, note);
    let blocks = Value::from(message.blocks).to_string();
    let params = [
        ("channel", asked.channel.as_str()),
        ("ts", asked.ts.as_str()),
        ("text", message.text.as_str()),
        ("blocks", blocks.as_str()),
    ];
    match api::post("chat.update", &params, None) {
        Ok(_) => Ok(()),
        Err(error) => match error.into_failure("chat.update") {
            // The message was deleted or is too old to edit.
            Failure::Permanent(why) => {
                log::warn(&why, &[]);
                Ok(())
            }
            other => Err(other),
        },
    }
}

fn contact(person: &Person) -> Result<&str, Failure> {
    let missing = || Failure::Permanent(format!("{} has no contact of kind slack", person.id));
    person.contact("slack").ok_or_else(missing)
}

fn direct_channel(user: &str) -> Result<String, Failure> {
    let answer = api::post("conversations.open", &[("users", user)], None)
        .map_err(|error| error.into_failure("conversations.open"))?;
    let id = answer["channel"]["id"].as_str();
    Ok(id
        .ok_or_else(|| Failure::retry("conversations.open returned no channel"))?
        .to_string())
}

fn settled_note(id: &str) -> Result<Option<String>, Failure> {
    Ok(kv::get::<String>(&settled_key(id))?.map(|it| it.value))
}

fn asked_key(id: &str) -> String {
    format!("asked:{id}")
}

fn settled_key(id: &str) -> String {
    format!("settled:{id}")
}
