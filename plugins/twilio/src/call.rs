//! Phone calls. The delivery of a page lasts until the phone is answered, so that a phone that is
//! busy, off or ignored makes the daemon use the next contact at once. Where a text comes with the
//! call, the text has reached the person, and a job looks after both.

use crate::api::Found;
use crate::twiml::{self, Script};
use crate::{Sent, api, public_url, replies, sms};
use form_urlencoded::byte_serialize;
use tocsin_plugin_sdk::commands::CommandError;
use tocsin_plugin_sdk::types::{
    Failure, Outcome, Page, Receipt, Timestamp, WebhookRequest, WebhookResponse,
};
use tocsin_plugin_sdk::{commands, config, kv, log, pages};

/// Twilio's name for calls, and the `once` key: a delivery makes one.
const CALLS: &str = "Calls";
/// How soon a ringing phone is looked at again, in milliseconds.
const LOOK_AGAIN_MS: u64 = 5_000;
/// Keys that one call takes.
const TRIES_MAX: u32 = 6;
/// How long calls are remembered; their pages are over by then.
const TTL_MS: u64 = 7 * 24 * 3_600_000;

/// Calls a person, or looks whether an earlier attempt's call was answered.
pub(crate) fn call(page: &Page, number: &str, at: Timestamp) -> Result<Outcome, Failure> {
    let key = format!("call:{}:{number}", page.id);
    let sid = match kv::get::<String>(&key)? {
        Some(known) => known.value,
        None => match begin(page, number, at)? {
            Some(sid) => {
                kv::set(&key, &sid, Some(TTL_MS))?;
                sid
            }
            None => return Ok(Outcome::Done),
        },
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

/// Places the call, with a text if keys cannot be read. Returns the call's id if the call alone
/// pages and the page is not over.
fn begin(page: &Page, number: &str, at: Timestamp) -> Result<Option<String>, Failure> {
    let text = text_beside(page, number, at)?;
    let mut sent = Sent {
        kind: crate::PHONE.into(),
        number: number.into(),
        call: None,
        at: text.as_ref().and_then(|it| it.at).unwrap_or(at),
        text: text.map(|it| it.sid),
        choices: Vec::new(),
        test: page.test,
    };
    // Before the phone rings: a key may be pressed before Twilio's answer to this request is here.
    let mut waits = pages::remember(page, &sent)?;
    if waits {
        match place(page, number, at, sent.text.is_some()) {
            Ok(sid) => {
                sent.call = Some(sid);
                waits = pages::remember(page, &sent)?;
            }
            // The text has reached the person.
            Err(Failure::Permanent(why)) if sent.text.is_some() => {
                log::warn("a text comes without its call", &[("why", &why)]);
            }
            Err(Failure::Permanent(why)) => {
                pages::forget(&page.id)?;
                return Err(Failure::Permanent(why));
            }
            Err(error) => return Err(error),
        }
    }
    if !waits {
        if let Some(sid) = &sent.call {
            api::end_call(sid)?;
        }
        pages::forget(&page.id)?;
        return Ok(None);
    }
    if sent.text.is_some() {
        replies::read_later()?;
        return Ok(None);
    }
    Ok(sent.call)
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
fn text_beside(page: &Page, number: &str, at: Timestamp) -> Result<Option<Found>, Failure> {
    if public_url().is_some() {
        return Ok(None);
    }
    match sms::send(&sms::body(page), number, at) {
        Ok(text) => Ok(Some(text)),
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
    // The list does not repeat what a call says.
    let call = api::create(CALLS, &fields, at, |_| true)?;
    Ok(call.sid)
}

/// A key was pressed during the call of a page.
pub(crate) fn pressed(request: &WebhookRequest) -> Result<WebhookResponse, Failure> {
    let page = request.query_field("page").unwrap_or_default();
    let tries = request.query_field("try").and_then(|it| it.parse().ok());
    let tries = tries.unwrap_or(0) + 1_u32;
    let language = language();
    let script = Script {
        language: &language,
        // The daemon answers a request that is the same with the same answer, so this one differs.
        action: public_url().map(|it| format!("{}&try={tries}", gather_url(&it, &page))),
        has_text: false,
    };
    let Some(sent) = pages::waiting::<Sent>(&page)? else {
        return Ok(twiml::answer(
            script.goodbye("This page needs no answer any more."),
        ));
    };
    let again = |why: &str| match tries < TRIES_MAX {
        true => script.again(why),
        false => script.goodbye(twiml::unanswered(sent.test)),
    };
    if request.form_field("Digits").as_deref() != Some("1") {
        return Ok(twiml::answer(again("")));
    }
    Ok(twiml::answer(match acknowledge(&page, &sent) {
        Ok(said) => script.goodbye(&said),
        Err(error) => {
            let why = api::masked(&format!("{error:?}"));
            log::error(
                "a key does not acknowledge",
                &[("page", &page), ("why", &why)],
            );
            again("That did not work.")
        }
    }))
}

/// Acknowledges everything that a page named; returns what to tell the person.
pub(crate) fn acknowledge(page: &str, sent: &Sent) -> Result<String, Failure> {
    // First, so that the call is not ended by the answer to it.
    set_pressed(page)?;
    let who = sent.who();
    pages::report(page, Receipt::Pressed, Some(&who));
    let said = pages::once(
        &format!("acknowledge:{page}"),
        || match commands::acknowledge(page, None, &who) {
            Err(CommandError::Invalid(why)) => Ok(format!("Not acknowledged: {why}.")),
            done => done,
        },
    )?;
    Ok(said.unwrap_or_else(|| "This page needs no answer any more.".into()))
}

/// Notes that a page was acknowledged, or a question answered, through this plugin.
pub(crate) fn set_pressed(page: &str) -> Result<(), Failure> {
    kv::set(&pressed_key(page), &true, Some(TTL_MS)).map(drop)
}

/// Whether [`set_pressed`] noted that.
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
