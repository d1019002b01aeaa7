//! Phone calls. The delivery of a page lasts until the phone is answered, so that a phone that is
//! busy, off or ignored makes the daemon use the next contact at once. Where a text comes with the
//! call, the text has reached the person, and a job looks after both.

use crate::twiml::{self, Script};
use crate::{Sent, api, public_url, replies, sms};
use form_urlencoded::byte_serialize;
use tocsin_plugin_sdk::types::{
    Failure, Outcome, Page, Receipt, Timestamp, WebhookRequest, WebhookResponse,
};
use tocsin_plugin_sdk::{commands, config, http, kv, log, pages};

/// Twilio's name for calls, and the `once` key: a delivery makes one.
const CALLS: &str = "Calls";
/// How soon a ringing phone is looked at again, in milliseconds.
const LOOK_AGAIN_MS: u64 = 5_000;
/// Clocks differ.
const LOOK_BACK_MS: u64 = 60_000;
/// How long calls are remembered; their pages are over by then.
const TTL_MS: u64 = 7 * 24 * 3_600_000;

/// Calls a person, or looks whether an earlier attempt's call was answered.
pub(crate) fn call(page: &Page, number: &str, at: Timestamp) -> Result<Outcome, Failure> {
    let key = format!("call:{}:{number}", page.id);
    let sid = match kv::get::<String>(&key)? {
        Some(known) => known.value,
        None => {
            let text = text_beside(page, number, at)?;
            let sid = place(page, number, at, text.is_some())?;
            let sent = Sent {
                kind: crate::PHONE.into(),
                number: number.into(),
                call: Some(sid.clone()),
                text,
                at,
            };
            if !pages::remember(page, &sent)? {
                api::end_call(&sid)?;
                pages::forget(&page.id)?;
                return Ok(Outcome::Done);
            }
            if sent.text.is_some() {
                replies::read_later()?;
                return Ok(Outcome::Done);
            }
            kv::set(&key, &sid, Some(TTL_MS))?;
            sid
        }
    };
    match api::status(CALLS, &sid)?.as_str() {
        "in-progress" | "completed" => {
            pages::report(&page.id, Receipt::Seen, None);
            Ok(Outcome::Done)
        }
        state @ ("queued" | "initiated" | "ringing") => {
            let why = format!("the call to {} is {state}", page.to.id);
            Err(Failure::retry_after(why, LOOK_AGAIN_MS))
        }
        state => {
            let why = format!("the call to {} was not answered: {state}", page.to.id);
            Err(Failure::Permanent(why))
        }
    }
}

/// Looks whether a call that comes with a text was answered; returns whether it is over.
pub(crate) fn look(page: &str, sid: &str) -> Result<bool, Failure> {
    let state = api::status(CALLS, sid)?;
    if matches!(state.as_str(), "in-progress" | "completed") {
        pages::report(page, Receipt::Seen, None);
    }
    Ok(!matches!(
        state.as_str(),
        "queued" | "initiated" | "ringing"
    ))
}

/// Where keys cannot be read, a text message comes with the call. A phone that takes no texts is
/// called all the same.
fn text_beside(page: &Page, number: &str, at: Timestamp) -> Result<Option<String>, Failure> {
    if public_url().is_some() {
        return Ok(None);
    }
    match sms::send(page, number, at) {
        Ok(sid) => Ok(Some(sid)),
        Err(Failure::Permanent(why)) => {
            log::warn("a call comes without its text message", &[("why", &why)]);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Places the call, or finds the one that an earlier attempt may have placed.
fn place(page: &Page, number: &str, at: Timestamp, has_text: bool) -> Result<String, Failure> {
    let language = language();
    let action = public_url().map(|it| gather_url(&it, &page.id));
    let script = Script {
        language: &language,
        action,
        has_text,
    };
    let from = api::from();
    let ring_s = config::get("ring-s").unwrap_or_else(|| "30".into());
    let twiml = script.page(page);
    let fields = [
        ("To", number),
        ("From", &from),
        ("Twiml", &twiml),
        ("Timeout", &ring_s),
    ];
    let sid = match api::create(CALLS, &fields, CALLS)? {
        Some(sid) => sid,
        None => match placed_before(&from, number, at)? {
            Some(sid) => sid,
            None => {
                http::forget(CALLS);
                let again = api::create(CALLS, &fields, CALLS)?;
                again.ok_or_else(|| Failure::retry("the call's outcome is unknown again"))?
            }
        },
    };
    kv::set(&known_key(&sid), &true, Some(TTL_MS))?;
    Ok(sid)
}

/// A call to this number since the page was made that belongs to no other page.
fn placed_before(from: &str, number: &str, at: Timestamp) -> Result<Option<String>, Failure> {
    for found in api::list(CALLS, from, number)? {
        let is_recent = found.at.is_some_and(|it| it + LOOK_BACK_MS >= at);
        let is_ours = found.direction == "outbound-api";
        if is_recent && is_ours && kv::get::<bool>(&known_key(&found.sid))?.is_none() {
            return Ok(Some(found.sid));
        }
    }
    Ok(None)
}

/// A key was pressed during the call of a page.
pub(crate) fn pressed(request: &WebhookRequest) -> Result<WebhookResponse, Failure> {
    let page = request.query_field("page").unwrap_or_default();
    let language = language();
    let script = Script {
        language: &language,
        action: public_url().map(|it| gather_url(&it, &page)),
        has_text: false,
    };
    let Some(sent) = pages::waiting::<Sent>(&page)? else {
        return Ok(twiml::answer(
            script.goodbye("This page needs no answer any more."),
        ));
    };
    if request.form_field("Digits").as_deref() != Some("1") {
        return Ok(twiml::answer(script.again()));
    }
    let said = acknowledge(&page, &sent)?;
    Ok(twiml::answer(script.goodbye(&said)))
}

/// Acknowledges everything that a page named; returns what to tell the person.
pub(crate) fn acknowledge(page: &str, sent: &Sent) -> Result<String, Failure> {
    // First, so that the call is not ended by the answer to it.
    kv::set(&pressed_key(page), &true, Some(TTL_MS))?;
    let who = sent.who();
    pages::report(page, Receipt::Pressed, Some(&who));
    let said = pages::once(&format!("acknowledge:{page}"), || {
        commands::acknowledge(page, None, &who)
    })?;
    Ok(said.unwrap_or_else(|| "It is acknowledged already.".into()))
}

/// Whether a page was acknowledged through this plugin.
pub(crate) fn was_pressed(page: &str) -> Result<bool, Failure> {
    Ok(kv::get::<bool>(&pressed_key(page))?.is_some())
}

fn language() -> String {
    config::get("language").unwrap_or_else(|| "en-US".into())
}

fn gather_url(public_url: &str, page: &str) -> String {
    let page: String = byte_serialize(page.as_bytes()).collect();
    format!("{public_url}/hooks/twilio/gather?page={page}")
}

fn pressed_key(page: &str) -> String {
    format!("pressed:{page}")
}

fn known_key(sid: &str) -> String {
    format!("known:{sid}")
}
