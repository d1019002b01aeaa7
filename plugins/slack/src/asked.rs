//! Messages that wait for a press: pages and prompts. Who pressed, and where, is shown on the
//! message itself, so that nobody presses what is settled.

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

/// Nobody presses a button that old.
const ASKED_TTL_MS: u64 = 7 * 24 * 3_600_000;
/// Longer than the delivery of a page can be retried.
const SETTLED_TTL_MS: u64 = 24 * 3_600_000;

/// A message with buttons, and where it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The channel's id.
    pub(crate) channel: String,
    /// The message's timestamp, which is its name in Slack.
    pub(crate) ts: String,
    /// What it said.
    pub(crate) text: String,
}

/// Wakes a person up by direct message.
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
        (None, None) => return Err(Failure::Permanent("a prompt to nobody".into())),
    };
    ask(&prompt.id, "prompt", &channel, blocks::prompt(prompt), at)?;
    Ok(Outcome::Done)
}

/// Takes the buttons away because the engine says that no answer is needed any more.
pub(crate) fn settled(settled: &Settled) -> Result<Outcome, Failure> {
    let by = settled.by.as_ref().map(text::actor);
    let note = match (&settled.choice, by) {
        (Some(choice), Some(by)) => format!("{by} answered: {}", text::escape(choice)),
        (Some(choice), None) => format!("Answered: {}", text::escape(choice)),
        (None, Some(by)) => format!(":white_check_mark: Acknowledged by {by}"),
        (None, None) => "No answer is needed any more".into(),
    };
    settle(&settled.id, &note, None)
}

/// Takes the buttons away and notes why. The first note stands. `pressed` is where the button was,
/// for a message that the store does not know.
pub(crate) fn settle(id: &str, note: &str, pressed: Option<Asked>) -> Result<Outcome, Failure> {
    // First the mark, then the message: a page that is being posted right now reads the mark
    // after it wrote its row, so one of the two takes the button away.
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

/// Tells one person in a channel something that nobody else needs to see.
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

/// A full store must not turn a page that was sent into one that failed: what is lost is that its
/// button goes away.
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
            // The message is gone or too old: then its button is no trap any more.
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
        .ok_or_else(|| Failure::retry("conversations.open answered no channel"))?
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
