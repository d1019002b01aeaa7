//! The claim on the page: one call at a time changes it, so that two incidents that share a
//! component see each other, and an incident is created once.

use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::types::{Delivery, Failure};
use tocsin_plugin_sdk::{clock, kv, log};

const KEY: &str = "claim";
/// How long the claim lasts if the call that holds it dies: longer than a call.
const CLAIM_MS: u64 = 30_000;
/// Retry delay while another delivery holds the claim.
const CLAIMED_RETRY_MS: u64 = 2_000;

#[derive(Default, Serialize, Deserialize)]
struct Claim {
    /// The delivery that holds it.
    holder: String,
    held_until: u64,
}

/// Does something while no other call changes the page.
///
/// # Errors
/// Retry while another delivery holds the claim, and those of `work`.
pub(crate) fn exclusively<T>(
    delivery: &Delivery,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let busy = || Failure::retry_after("another delivery changes the page", CLAIMED_RETRY_MS);
    let found = kv::get::<Claim>(KEY)?;
    let revision = found.as_ref().map(|it| it.revision);
    let held = found.map(|it| it.value).unwrap_or_default();
    // A delivery never runs twice at a time, so its own claim is from an earlier attempt.
    if held.holder != delivery.idempotency_key && clock::now() < held.held_until {
        return Err(busy());
    }
    let mine = Claim {
        holder: delivery.idempotency_key.clone(),
        held_until: clock::now() + CLAIM_MS,
    };
    let revision = kv::swap(KEY, revision, &mine, None)?.ok_or_else(busy)?;
    let result = work();
    if let Err(error) = kv::swap(KEY, Some(revision), &Claim::default(), None) {
        // It expires.
        let why = format!("{error:?}");
        log::debug("the claim on the page was not released", &[("why", &why)]);
    }
    result
}
