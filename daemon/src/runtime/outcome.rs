//! What became of a delivery, made durable: its row is settled in the same batch as the command
//! that it leads to, so that a page is never both taken and sent again.

use serde_json::{Value, json};
use tocsin_core::command::{Command, Refusal};
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Actor, IncidentId, PluginId, Timestamp, cut};
use tocsin_plugin_host::EnqueuedJob;
use tocsin_store::{Claimed, Class, CommitError, OutboxKey, OutboxRow, RowChange, Settle, Table};

use super::Runtime;
use super::backoff::{RetryPolicy, retry_at};
use super::parcel::{Parcel, row_of};
use super::request::{Answer, Cause, EngineError, Request, Write};

/// How long a delivery that was given up is shown, in milliseconds: thirty days.
const DEAD_LETTER_TTL_MS: u64 = 30 * 24 * HOUR_MS;
/// Longest reason of a dead letter, in bytes.
const REASON_BYTES_MAX: usize = 1_024;

/// Longest body that a dead letter keeps whole, in bytes.
const DEAD_BODY_BYTES_MAX: usize = 5 * 1_024;

/// What became of a delivery.
pub(super) struct Ended {
    pub(super) end: End,
    pub(super) page: Option<PageRef>,
    pub(super) plugin: Option<PluginId>,
    pub(super) jobs: Vec<EnqueuedJob>,
}

/// How a delivery ended.
pub(super) enum End {
    /// It arrived.
    Done,
    /// Whom it went to does nothing with it.
    Ignored(String),
    /// Nobody wants it any more.
    Dropped,
    /// It may arrive later.
    Again { why: String, hint_ms: Option<u64> },
    /// It may arrive once the operator has mended the set-up.
    Misconfigured(String),
    /// It will never arrive.
    GivenUp(String),
}

/// The page that a delivery brings.
#[derive(Clone, Debug)]
pub(super) struct PageRef {
    pub(super) incident: IncidentId,
    pub(super) page: u32,
    pub(super) contact: u32,
}

impl Ended {
    pub(super) fn of(end: End) -> Self {
        Self {
            end,
            page: None,
            plugin: None,
            jobs: Vec::new(),
        }
    }

    pub(super) fn again(why: String) -> Self {
        Self::of(End::Again { why, hint_ms: None })
    }

    pub(super) fn given_up(why: String) -> Self {
        Self::of(End::GivenUp(why))
    }

    pub(super) fn dropped(why: &'static str) -> Self {
        tracing::debug!(why, "a delivery is dropped");
        Self::of(End::Dropped)
    }
}

impl End {
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Ignored(_) => "ignored",
            Self::Dropped => "dropped",
            Self::Again { .. } => "retry",
            Self::Misconfigured(_) => "misconfigured",
            Self::GivenUp(_) => "given-up",
        }
    }
}

impl Runtime {
    pub(super) async fn settle(&self, claim: Claimed, ended: Ended) -> Result<(), EngineError> {
        let now = self.clock.now();
        let Ended {
            end,
            page,
            plugin,
            jobs,
        } = ended;
        let mut also = Write::default();
        if let Some(plugin) = plugin {
            also.outbox
                .extend(jobs.into_iter().map(|job| job_row(&plugin, job, now)));
        }
        let finish = Settle {
            token: claim.token.clone(),
            retry_at: None,
        };
        match (end, page) {
            (End::Done, Some(page)) => {
                let command = Command::PageTaken {
                    page: page.page,
                    contact: page.contact,
                };
                self.settle_page(page, command, finish, also).await
            }
            // A page does not wait for the operator: the next contact is asked.
            (
                End::Ignored(reason) | End::GivenUp(reason) | End::Misconfigured(reason),
                Some(page),
            ) => {
                let (incident, number) = (&page.incident, page.page);
                tracing::warn!(%incident, page = number, reason, "a page failed");
                let command = Command::PageFailed {
                    page: page.page,
                    contact: page.contact,
                    reason,
                };
                self.settle_page(page, command, finish, also).await
            }
            (End::Done | End::Ignored(_) | End::Dropped, _) => self.finish(finish, also).await,
            (End::Misconfigured(why), None) => {
                let policy = RetryPolicy::CHORE;
                let hint_ms = Some(policy.longest_ms);
                self.retry_or_bury(policy, claim, why, hint_ms, also).await
            }
            (End::Again { why, hint_ms }, page) => {
                let policy = if page.is_some() {
                    RetryPolicy::PAGE
                } else {
                    RetryPolicy::CHORE
                };
                self.retry_or_bury(policy, claim, why, hint_ms, also).await
            }
            (End::GivenUp(why), None) => self.bury(&claim, &why, finish, also, now).await,
        }
    }

    async fn retry_or_bury(
        &self,
        policy: RetryPolicy,
        claim: Claimed,
        why: String,
        hint_ms: Option<u64>,
        also: Write,
    ) -> Result<(), EngineError> {
        let now = self.clock.now();
        let (attempts, age_ms) = (claim.row.attempts, now.since(claim.row.created_at));
        let retry_at = retry_at(policy, attempts, age_ms, now, hint_ms, jitter());
        let settles = Settle {
            token: claim.token.clone(),
            retry_at,
        };
        match retry_at {
            Some(_) => self.finish(settles, also).await,
            None => self.bury(&claim, &why, settles, also, now).await,
        }
    }

    async fn settle_page(
        &self,
        page: PageRef,
        command: Command,
        settles: Settle,
        also: Write,
    ) -> Result<(), EngineError> {
        let request = |also| {
            let cause = Cause {
                settles: Some(settles.clone()),
                also: Box::new(also),
                ..Cause::default()
            };
            Request::Command {
                incident: page.incident.clone(),
                by: Actor::Tocsin,
                command: command.clone(),
                cause,
            }
        };
        match self.ask_jobs_or_none(also, request).await {
            Ok(_) | Err(EngineError::Refused(Refusal::Stale(_))) => Ok(()),
            Err(error) => unless_fenced(error),
        }
    }

    async fn finish(&self, settles: Settle, also: Write) -> Result<(), EngineError> {
        let request = |also| {
            let write = Write {
                settles: Some(settles.clone()),
                ..also
            };
            Request::Write(Box::new(write))
        };
        match self.ask_jobs_or_none(also, request).await {
            Ok(_) => Ok(()),
            Err(error) => unless_fenced(error),
        }
    }

    /// Asks with the plugin's jobs, and without them when they do not fit: what was done must
    /// not be done again and again for a job that cannot be kept.
    async fn ask_jobs_or_none(
        &self,
        also: Write,
        request: impl Fn(Write) -> Request,
    ) -> Result<Answer, EngineError> {
        match self.writer.ask(request(also.clone())).await {
            Err(EngineError::Commit(error @ CommitError::TooLarge { .. }))
                if !also.outbox.is_empty() =>
            {
                let jobs = also.outbox.len();
                tracing::error!(%error, jobs, "a plugin's jobs are too large and are left out");
                let outbox = Vec::new();
                self.writer.ask(request(Write { outbox, ..also })).await
            }
            answer => answer,
        }
    }

    /// Gives a delivery up: its row goes to the dead letters, with what the far side said.
    async fn bury(
        &self,
        claim: &Claimed,
        why: &str,
        settles: Settle,
        mut also: Write,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        tracing::error!(lane = claim.row.key.lane, why, "a delivery is given up");
        self.metrics.dead_letter();
        let value = json!({
            "body": kept(&claim.row.body),
            "lane": claim.row.key.lane,
            "class": claim.row.key.class,
            "attempts": claim.row.attempts,
            "why": cut(why.to_owned(), REASON_BYTES_MAX),
            "at": now,
        });
        also.rows.push(RowChange {
            table: Table::DeadLetter,
            key: format!("{:015}-{}", now.0, claim.row.key.seq),
            value: Some(value),
            expires_at: Some(now.plus_ms(DEAD_LETTER_TTL_MS)),
        });
        self.finish(settles, also).await
    }
}

/// A body as a dead letter keeps it: its frame must fit into the same value.
fn kept(body: &Value) -> Value {
    let text = body.to_string();
    if text.len() <= DEAD_BODY_BYTES_MAX {
        return body.clone();
    }
    Value::from(cut(text, DEAD_BODY_BYTES_MAX / 2))
}

/// A delivery that another claim has taken over meanwhile is settled by that one.
fn unless_fenced(error: EngineError) -> Result<(), EngineError> {
    match error {
        EngineError::Commit(CommitError::Fenced(lane)) => {
            tracing::warn!(
                lane,
                "a delivery took longer than its claim; its outcome is not kept"
            );
            Ok(())
        }
        error => Err(error),
    }
}

/// The row of a job that a plugin queued for itself.
pub(crate) fn job_row(plugin: &PluginId, job: EnqueuedJob, now: Timestamp) -> OutboxRow {
    let EnqueuedJob {
        id,
        topic,
        payload,
        delay_ms,
        dedup_key,
    } = job;
    let (class, lane, coalesce) = match dedup_key {
        Some(key) => (
            Class::State,
            format!("{plugin}/job-{key}"),
            Some("job".to_owned()),
        ),
        None => (Class::Bulk, format!("{plugin}/job-{id}"), None),
    };
    let parcel = Parcel::Job {
        plugin: plugin.clone(),
        id,
        topic,
        payload,
    };
    let mut row = row_of(
        OutboxKey {
            class,
            lane,
            seq: 0,
        },
        coalesce,
        now,
        &parcel,
    );
    row.not_before = now.plus_ms(delay_ms);
    row
}

/// Between 0 and 1.
fn jitter() -> f64 {
    let mut bytes = [0_u8; 2];
    // Without randomness deliveries come back together, which is no reason not to.
    let _no_matter = getrandom::fill(&mut bytes);
    f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_keeps_a_body_that_fits_and_the_beginning_of_one_that_does_not() {
        let small = json!({ "payload": "{}" });
        assert_eq!(kept(&small), small);
        let large = json!({ "payload": "\"".repeat(4_000) });
        let kept = kept(&large);
        assert!(
            kept.as_str()
                .is_some_and(|it| it.starts_with("{\"payload\""))
        );
        assert!(kept.to_string().len() < 6 * 1_024, "{kept}");
    }
}
