//! Replies to text messages, polled or posted by Twilio, and whether texts reached the phone.

use crate::sms::MESSAGES;
use crate::{Sent, api, call, prompt, twiml};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::types::{
    Failure, Outcome, Receipt, Timestamp, WebhookRequest, WebhookResponse,
};
use tocsin_plugin_sdk::{jobs, kv, log, pages};

/// The job's topic, and its deduplication key: one job reads for all pages.
pub(crate) const TOPIC: &str = "replies";
/// How often replies are read: one counts within this time, in milliseconds.
const EVERY_MS: u64 = 10_000;
/// Pages looked at by one job, with up to two requests each, the others by the next: without more
/// limits granted, a plugin sends 60 requests in a minute.
const PAGES_MAX: usize = 4;
/// How long a reply is remembered; its page is over by then.
const TTL_MS: u64 = 7 * 24 * 3_600_000;
/// In place of the page that a reply means, once it was acknowledged.
const HANDLED: &str = "";

/// Enqueues the job that reads replies.
pub(crate) fn read_later() -> Result<(), Failure> {
    jobs::enqueue_after(EVERY_MS, TOPIC, &json!({}), Some(TOPIC)).map(drop)
}

/// Reads replies, and reads again later while a text needs an answer. Whatever fails may succeed
/// then; the next contact is used meanwhile.
pub(crate) fn read() -> Result<Outcome, Failure> {
    let waiting = pages::all_waiting::<Sent>()?;
    if !waiting.iter().any(|(_, it)| it.text.is_some()) {
        return Ok(Outcome::Done);
    }
    if let Err(error) = read_replies() {
        warn("cannot read the replies to texts", "", &error);
    }
    for (page, sent) in pages::take_turn::<Sent>(PAGES_MAX)? {
        if let Err(error) = look(&page, &sent) {
            warn("cannot read what became of a page", &page, &error);
        }
    }
    read_later()?;
    Ok(Outcome::Done)
}

fn read_replies() -> Result<(), Failure> {
    let received = api::list(MESSAGES, None, &api::from())?;
    for reply in received.iter().rev().filter(|it| it.direction == "inbound") {
        if reply.at.is_none() {
            continue;
        }
        // One that fails is tried again the next time, and does not hold up the others.
        if let Err(error) = reply_to(&reply.from, &reply.sid, &reply.body, reply.at) {
            warn("a reply does not acknowledge", &reply.sid, &error);
        }
    }
    Ok(())
}

/// Whether the text reached the phone, and the call that comes with it was answered.
fn look(page: &str, sent: &Sent) -> Result<(), Failure> {
    let Some(text) = &sent.text else {
        return Ok(());
    };
    if let Some(sid) = &sent.call {
        final_state(&format!("call:{sid}"), || call::look(page, sid))?;
    }
    final_state(&format!("text:{text}"), || {
        let state = api::status(MESSAGES, text)?;
        match state.as_str() {
            "delivered" | "read" => pages::report(page, Receipt::Seen, None),
            "failed" | "undelivered" | "canceled" => {
                log::warn(
                    "a text was not delivered",
                    &[("page", page), ("state", &state)],
                );
            }
            _ => return Ok(false),
        }
        Ok(true)
    })
}

fn warn(what: &str, id: &str, error: &Failure) {
    let why = api::masked(&format!("{error:?}"));
    log::warn(what, &[("id", id), ("why", &why)]);
}

/// Looks at a call or a text until its state is final.
fn final_state(key: &str, look: impl FnOnce() -> Result<bool, Failure>) -> Result<(), Failure> {
    let key = format!("final:{key}");
    if kv::get::<bool>(&key)?.is_none() && look()? {
        kv::set(&key, &true, Some(TTL_MS))?;
    }
    Ok(())
}

/// Twilio posts a reply to the webhook of the number.
pub(crate) fn received(request: &WebhookRequest) -> Result<WebhookResponse, Failure> {
    let field = |name: &str| request.form_field(name).unwrap_or_default();
    let said = reply_to(&field("From"), &field("MessageSid"), &field("Body"), None)?;
    let said = said.unwrap_or_else(|| "Reply 1 to acknowledge the latest page.".into());
    Ok(twiml::answer(twiml::message(&said)))
}

/// A reply acknowledges the latest page, or answers the latest question, that was texted to its
/// number before it, that it fits and that has no reply yet; a test only if nothing else is. `at`
/// is by Twilio's clock, as the texts are; without it, it was sent just now. Returns what to tell
/// the person, if it was one and was not handled before.
fn reply_to(
    number: &str,
    sid: &str,
    body: &str,
    at: Option<Timestamp>,
) -> Result<Option<String>, Failure> {
    let word = body.trim_matches(|it: char| !it.is_alphanumeric());
    let word = word.to_lowercase();
    let acknowledges = matches!(word.as_str(), "1" | "ack" | "acknowledge");
    let fits = |sent: &Sent| match sent.choices.is_empty() {
        true => acknowledges,
        false => prompt::chosen(sent, &word).is_some(),
    };
    if !acknowledges && word.parse::<usize>().is_err() {
        return Ok(None);
    }
    let key = format!("reply:{sid}");
    // What failed is tried again for the text that was meant then.
    let meant = match kv::get::<String>(&key)?.map(|it| it.value) {
        Some(page) if page == HANDLED => return Ok(None),
        Some(page) => pages::waiting(&page)?.map(|sent| (page, sent)),
        None => meant(number, at, fits)?,
    };
    let Some((page, sent)) = meant else {
        return Ok(None);
    };
    kv::set(&key, &page, Some(TTL_MS))?;
    let said = match prompt::chosen(&sent, &word) {
        Some(choice) => prompt::answer(&page, &sent, choice)?,
        None => call::acknowledge(&page, &sent)?,
    };
    kv::set(&key, &HANDLED, Some(TTL_MS))?;
    Ok(Some(said))
}

fn meant(
    number: &str,
    at: Option<Timestamp>,
    fits: impl Fn(&Sent) -> bool,
) -> Result<Option<(String, Sent)>, Failure> {
    let mut latest: Option<(String, Sent)> = None;
    for (page, sent) in pages::all_waiting::<Sent>()? {
        // Whoever is woken while a test waits must not be escalated past: a test comes last.
        let rank = |it: &Sent| (!it.test, it.at);
        let is_later = latest
            .as_ref()
            .is_none_or(|(_, it)| rank(it) <= rank(&sent));
        let is_texted = sent.number == number && sent.text.is_some() && fits(&sent);
        let is_before = at.is_none_or(|at| sent.at <= at);
        if is_later && is_texted && is_before && !call::was_pressed(&page)? {
            latest = Some((page, sent));
        }
    }
    Ok(latest)
}
