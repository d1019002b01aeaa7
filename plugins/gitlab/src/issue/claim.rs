//! What is known of an incident's issue, and the claim on it: only one call at a time brings it to
//! the incident's state. A call can be interrupted after any step, and the next one continues.

use crate::once::Made;
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::types::{Delivery, Failure};
use tocsin_plugin_sdk::{clock, kv, log};

/// How long a claim lasts if the call that holds it dies, in milliseconds.
const CLAIM_MS: u64 = 30_000;
/// Retry delay while another delivery holds the claim, in milliseconds.
const CLAIMED_RETRY_MS: u64 = 2_000;
/// How long the row is kept after its last change, in milliseconds; then the incident's ref still
/// says which issue it is.
const ROW_TTL_MS: u64 = 90 * 24 * 3_600_000;

/// The row of an incident.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) issue: Option<Made>,
    /// Whether the incident has the issue as its ref.
    pub(super) is_linked: bool,
    /// The incident's revision that the issue shows.
    pub(super) revision: u64,
    /// Of the content that the issue shows.
    pub(super) digest: u64,
    /// The title that we gave it.
    pub(super) title: String,
    /// Whether we closed it.
    pub(super) is_over: bool,
    /// Whether somebody deleted it.
    pub(super) is_gone: bool,
    /// The delivery that holds the claim.
    holder: String,
    held_until: u64,
}

/// The row, and once it is taken the exclusive right to change the incident's issue.
#[derive(Debug)]
pub(super) struct Claim {
    key: String,
    pub(super) row: Row,
    revision: Option<u64>,
}

impl Claim {
    /// What is known, without the right to change it.
    pub(super) fn read(incident: &str) -> Result<Self, Failure> {
        let key = format!("issue:{incident}");
        let found = kv::get::<Row>(&key)?;
        let (row, revision) = match found {
            Some(found) => (found.value, Some(found.revision)),
            None => (Row::default(), None),
        };
        Ok(Self { key, row, revision })
    }

    /// Takes the claim, unless another delivery holds it, or changed the row since it was read.
    pub(super) fn take(&mut self, delivery: &Delivery) -> Result<(), Failure> {
        let busy = || {
            let why = "another delivery is writing the incident's issue";
            Failure::retry_after(why, CLAIMED_RETRY_MS)
        };
        // A delivery never runs twice concurrently, so its own claim is from an earlier attempt.
        let now = clock::now();
        let row = &mut self.row;
        if row.holder != delivery.idempotency_key && now < row.held_until {
            return Err(busy());
        }
        row.holder.clone_from(&delivery.idempotency_key);
        row.held_until = now + CLAIM_MS;
        let taken = kv::swap(&self.key, self.revision, &self.row, Some(ROW_TTL_MS))?;
        self.revision = Some(taken.ok_or_else(busy)?);
        Ok(())
    }

    /// Writes the row, if the claim still holds.
    pub(super) fn save(&mut self) -> Result<(), Failure> {
        let saved = kv::swap(&self.key, self.revision, &self.row, Some(ROW_TTL_MS))?;
        self.revision = Some(saved.ok_or_else(|| {
            let why = "another delivery took over the incident's issue";
            Failure::retry_after(why, CLAIMED_RETRY_MS)
        })?);
        Ok(())
    }

    /// Ends the work with this result and lets the next delivery try at once.
    pub(super) fn release(mut self, result: Result<(), Failure>) -> Result<Row, Failure> {
        self.row.held_until = 0;
        let saved = self.save();
        // The first failure is returned; the claim then expires.
        if let (Err(_), Err(error)) = (&result, &saved) {
            let why = format!("{error:?}");
            log::debug("the claim on the issue was not released", &[("why", &why)]);
        }
        result.and(saved).map(|()| self.row)
    }
}
