//! Reads the receipts of messages that sound, so that what was acknowledged in the app counts.

use crate::message::KIND;
use crate::{Sent, api};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::types::{Actor, Failure, Outcome, Receipt};
use tocsin_plugin_sdk::{commands, jobs, log, pages, people};

/// The job's topic, and its deduplication key: one job reads all receipts.
pub(crate) const TOPIC: &str = "receipts";
/// How often a receipt is read: Pushover allows once in five seconds. In milliseconds.
const EVERY_MS: u64 = 10_000;
/// Receipts read by one job, the others by the next: without more limits granted, a plugin sends
/// 60 requests in a minute.
const READ_MAX: usize = 8;

/// Enqueues the job that reads the receipts.
pub(crate) fn read_later() -> Result<(), Failure> {
    jobs::enqueue_after(EVERY_MS, TOPIC, &json!({}), Some(TOPIC)).map(drop)
}

/// Reads receipts, reports what they say, and reads again later while a page needs an answer.
pub(crate) fn read() -> Result<Outcome, Failure> {
    let waiting = pages::take_turn::<Sent>(READ_MAX)?;
    if waiting.is_empty() {
        return Ok(Outcome::Done);
    }
    for (page, sent) in &waiting {
        if let Err(error) = read_one(page, sent) {
            // Whatever it is, a later reading may succeed; the next contact is rung meanwhile.
            let why = format!("{error:?}");
            log::warn("cannot read a receipt", &[("page", page), ("why", &why)]);
        }
    }
    read_later()?;
    Ok(Outcome::Done)
}

fn read_one(page: &str, sent: &Sent) -> Result<(), Failure> {
    let receipt = api::receipt(&sent.receipt)?;
    if receipt.is_delivered {
        pages::report(page, Receipt::Seen, None);
    }
    if let Some(by) = receipt.acknowledged {
        let by = who(&by, sent);
        pages::report(page, Receipt::Pressed, Some(&by));
        pages::once(&format!("acknowledged:{page}"), || {
            commands::acknowledge(page, None, &by)
        })?;
    } else if receipt.is_expired {
        // It has fallen silent; there is nothing to read or to stop.
        pages::forget(page)?;
    }
    Ok(())
}

/// The member of a group who acknowledged, if that is somebody's contact; else the paged person.
fn who(key: &str, sent: &Sent) -> Actor {
    let is_known =
        !key.is_empty() && key != sent.address && people::by_contact(KIND, key).is_some();
    Actor::by_contact(KIND, if is_known { key } else { &sent.address })
}
