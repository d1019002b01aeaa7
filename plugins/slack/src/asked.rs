//! Messages with buttons: pages and prompts. Once one is answered, its buttons are replaced with a
//! note that says who answered.

use crate::api;
use crate::blocks::Message;
use crate::post::{Post, edit};
use crate::{blocks, text};
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Failure, Outcome, Page, Prompt, Settled, Timestamp};
use tocsin_plugin_sdk::{jobs, kv, log};

/// How long a message with buttons is remembered.
const ASKED_TTL_MS: u64 = 7 * 24 * 3_600_000;
/// Longer than the delivery of a page can be retried.
const SETTLED_TTL_MS: u64 = 24 * 3_600_000;

/// Most messages that are remembered for one item; a ladder has at most as many rungs.
const ITEM_PAGES_MAX: usize = 8;
/// Most questions that are looked at when something is settled.
const QUESTIONS_MAX: u32 = 200;
/// The job that edits a message about several incidents.
pub(crate) const REFRESH: &str = "refresh";
/// What is settled within this is one edit of a message, in milliseconds: one press settles
/// hundreds of incidents.
const REFRESH_MS: u64 = 1_000;

/// A posted message with buttons.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// The channel's id.
    pub(crate) channel: String,
    /// The message's timestamp, which is its id in Slack.
    pub(crate) ts: String,
    pub(crate) text: String,
    /// The incidents of a page that are settled by their own id, in the message's order: of one
    /// about several those that have their own button.
    #[serde(default)]
    pub(crate) items: Vec<String>,
    /// The blocks as they were posted; empty unless several items have a button each.
    #[serde(default)]
    pub(crate) blocks: Vec<Value>,
    /// Whether it asks something about all of its items.
    #[serde(default)]
    pub(crate) is_question: bool,
}

/// Pages a person by direct message.
pub(crate) fn page(page: &Page, at: Timestamp) -> Result<Outcome, Failure> {
    if settled_note(&page.id)?.is_some() {
        return Ok(Outcome::Ignored);
    }
    let user = user(page)?;
    let channel = direct_channel(&user)?;
    let items: Vec<String> = page.items.iter().map(|it| it.id.clone()).collect();
    if let [only] = items.as_slice()
        && settled_note(only)?.is_some()
    {
        return Ok(Outcome::Ignored);
    }
    let message = blocks::page(page);
    let blocks = match items.len() > 1 {
        true => message.blocks.clone(),
        false => Vec::new(),
    };
    let asked = Asked {
        items,
        blocks,
        ..post(&page.id, "page", &channel, message, at)?
    };
    ask(&page.id, &asked)?;
    for item in &page.items {
        let incident = &item.incident.id;
        let payload = json!({"incident": incident, "user": user});
        let once = format!("invite:{incident}:{user}");
        jobs::enqueue("invite", &payload, Some(&once))?;
    }
    Ok(Outcome::Done)
}

/// Asks a person a question by direct message.
pub(crate) fn prompt(prompt: &Prompt, at: Timestamp) -> Result<Outcome, Failure> {
    let page = &prompt.message;
    let items = page.items.iter().map(|it| it.id.clone());
    let items: Vec<String> = items
        .chain(page.others.iter().map(|it| it.id.clone()))
        .collect();
    if settled_note(&page.id)?.is_some() || all_settled(&items)?.is_some() {
        return Ok(Outcome::Ignored);
    }
    let channel = direct_channel(&user(page)?)?;
    let message = blocks::prompt(prompt);
    let asked = Asked {
        items,
        is_question: true,
        ..post(&page.id, "prompt", &channel, message, at)?
    };
    ask(&page.id, &asked)?;
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
    settle(&settled.id, &note, None, refresh_later)
}

/// Replaces the buttons of a message, or of one item of a page, with a note, as somebody pressed
/// one; the first note stays. `pressed` is the message with the button, in case the store has no
/// row for it.
pub(crate) fn press(id: &str, note: &str, pressed: Option<Asked>) -> Result<Outcome, Failure> {
    settle(id, note, pressed, refresh)
}

/// `refresh`: how messages about several are edited.
fn settle(
    id: &str,
    note: &str,
    pressed: Option<Asked>,
    refresh: fn(&str) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    // First the mark, then the message: a page that is being posted right now reads the mark
    // after it wrote its row, so one of the two removes the button.
    let note = match settled_note(id)? {
        Some(first) => first,
        None => {
            note_down(&settled_key(id), &note, SETTLED_TTL_MS)?;
            note.to_string()
        }
    };
    let pages = pages_of(id)?;
    if !pages.is_empty() {
        for page in pages {
            refresh(&page)?;
        }
        return Ok(Outcome::Done);
    }
    let row = kv::get::<Asked>(&asked_key(id))?;
    let Some(asked) = row.map(|it| it.value).or(pressed) else {
        let open = kv::keys(&question_key(""), None, QUESTIONS_MAX)?.keys;
        for question in &open {
            refresh_later(question.trim_start_matches(&question_key("")))?;
        }
        return Ok(match open.is_empty() {
            true => Outcome::Ignored,
            false => Outcome::Done,
        });
    };
    close(&asked, &note)?;
    forget(id, &asked)?;
    Ok(Outcome::Done)
}

/// Has a message edited soon. A message with a single button is, at once.
fn refresh_later(id: &str) -> Result<Outcome, Failure> {
    let asked = kv::get::<Asked>(&asked_key(id))?.map(|it| it.value);
    if asked.is_some_and(|it| it.items.len() <= 1) {
        return refresh(id);
    }
    let payload = json!({ "id": id });
    let once = format!("{REFRESH}:{id}");
    jobs::enqueue_after(REFRESH_MS, REFRESH, &payload, Some(&once))?;
    Ok(Outcome::Done)
}

/// Shows the notes of the items of a page that no longer need an answer. A message whose buttons
/// are for all of its items loses them once none of these needs an answer. What is noted while
/// the message is edited is shown by the next round, as edits may arrive in any order.
pub(crate) fn refresh(page: &str) -> Result<Outcome, Failure> {
    let Some(asked) = kv::get::<Asked>(&asked_key(page))?.map(|it| it.value) else {
        return Ok(Outcome::Ignored);
    };
    if asked.blocks.is_empty() {
        let Some(note) = all_settled(&asked.items)? else {
            return Ok(Outcome::Ignored);
        };
        close(&asked, &note)?;
        forget(page, &asked)?;
        return Ok(Outcome::Done);
    }
    let mut shown = Vec::new();
    for _ in 0..=asked.items.len() {
        let notes = notes(&asked)?;
        if notes == shown {
            break;
        }
        let noted = notes.iter().enumerate();
        let blocks = noted.fold(asked.blocks.clone(), |blocks, (at, note)| match note {
            Some(note) => blocks::with_note(&blocks, at, note),
            None => blocks,
        });
        let text = asked.text.clone();
        edit(&asked.channel, &asked.ts, &Message { text, blocks })?;
        shown = notes;
    }
    Ok(Outcome::Done)
}

/// The note of the first item, if none needs an answer any more.
fn all_settled(items: &[String]) -> Result<Option<String>, Failure> {
    let mut first = None;
    for item in items {
        match settled_note(item)? {
            Some(note) => drop(first.get_or_insert(note)),
            None => return Ok(None),
        }
    }
    Ok(first)
}

fn notes(asked: &Asked) -> Result<Vec<Option<String>>, Failure> {
    asked.items.iter().map(|it| settled_note(it)).collect()
}

fn forget(id: &str, asked: &Asked) -> Result<(), Failure> {
    if asked.is_question {
        kv::delete(&question_key(id))?;
    }
    for item in asked.items.iter().filter(|_| !asked.is_question) {
        let mut pages = pages_of(item)?;
        pages.retain(|it| it != id);
        match pages.is_empty() {
            true => drop(kv::delete(&item_key(item))?),
            false => note_down(&item_key(item), &pages, ASKED_TTL_MS)?,
        }
    }
    kv::delete(&asked_key(id))?;
    Ok(())
}

/// Posts a message that only one person in a channel can see, or to them directly if the app is not
/// in that channel, as commands work everywhere.
pub(crate) fn tell(channel: &str, user: &str, what: &str) -> Result<Outcome, Failure> {
    let params = [("channel", channel), ("user", user), ("text", what)];
    match api::post("chat.postEphemeral", &params, Some("tell")) {
        Ok(_) => Ok(Outcome::Done),
        Err(error) if error.is_gone() || error.is("user_not_in_channel") => {
            let direct = direct_channel(user)?;
            let params = [("channel", direct.as_str()), ("text", what)];
            let posted = api::post("chat.postMessage", &params, Some("tell-directly"));
            let posted = posted.map_err(|error| error.into_failure("chat.postMessage"));
            posted.map(|_| Outcome::Done)
        }
        Err(error) => Err(error.into_failure("chat.postEphemeral")),
    }
}

fn post(
    id: &str,
    kind: &str,
    channel: &str,
    message: Message,
    at: Timestamp,
) -> Result<Asked, Failure> {
    let text = message.text.clone();
    let ts = Post::new(channel, format!("{kind}:{id}"), at, message).send()?;
    Ok(Asked {
        channel: channel.into(),
        ts,
        text,
        items: Vec::new(),
        blocks: Vec::new(),
        is_question: false,
    })
}

/// Remembers a message that was posted; shows what needs no answer any more.
fn ask(id: &str, asked: &Asked) -> Result<(), Failure> {
    note_down(&asked_key(id), asked, ASKED_TTL_MS)?;
    if asked.is_question {
        note_down(&question_key(id), &true, ASKED_TTL_MS)?;
    }
    for item in asked.items.iter().filter(|_| !asked.is_question) {
        let mut pages = pages_of(item)?;
        pages.retain(|it| it != id);
        pages.push(id.into());
        pages.drain(..pages.len().saturating_sub(ITEM_PAGES_MAX));
        note_down(&item_key(item), &pages, ASKED_TTL_MS)?;
    }
    if let Some(note) = settled_note(id)? {
        close(asked, &note)?;
    } else if asked.blocks.is_empty() || notes(asked)?.iter().any(Option::is_some) {
        refresh(id)?;
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
    edit(&asked.channel, &asked.ts, &message)
}

fn user(page: &Page) -> Result<String, Failure> {
    let found = page.contact(&["slack"]).map(|it| it.1);
    let why = || format!("{} has no contact of kind slack", page.to.id);
    found.ok_or_else(|| Failure::Permanent(why()))
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

/// The messages that bring an item, the oldest first: a ladder may page a person here twice.
fn pages_of(item: &str) -> Result<Vec<String>, Failure> {
    Ok(kv::get::<Vec<String>>(&item_key(item))?.map_or_else(Vec::new, |it| it.value))
}

/// The row of an item of a page, with the ids of the messages that bring it.
fn item_key(id: &str) -> String {
    format!("item:{id}")
}

/// The row of a question that is open.
fn question_key(id: &str) -> String {
    format!("question:{id}")
}

fn settled_key(id: &str) -> String {
    format!("settled:{id}")
}

#[cfg(test)]
pub(crate) mod tests;
