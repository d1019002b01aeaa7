//! Settles deliveries: a delivery's row is settled in the same batch as the timer that tells its
//! pages what became of them, so that a delivered page is never sent again.

use tocsin_core::command::Refusal;
use tocsin_core::trial::TestOutcome;
use tocsin_core::{MessageId, PluginId, TestId, Timestamp};
use tocsin_plugin_host::EnqueuedJob;
use tocsin_store::{Claimed, Class, CommitError, NewDelivery, Settle};

use crate::runtime::delivery::{Delivery, row_of};
use crate::runtime::engine::request::{Answer, Request, TestRequest, Write};
use crate::runtime::error::EngineError;
use crate::runtime::outbox::Outbox;
use crate::runtime::outbox::backoff::{RetryPolicy, retry_at};
use crate::runtime::outbox::telling::{MessageOutcome, outcome_timer};
use crate::runtime::state::tables::dead_letter;

/// The outcome of a delivery.
#[derive(Debug)]
pub struct Ended {
    pub end: End,
    /// What is told of it, if anything is.
    pub about: Option<About>,
    /// Whether it may have had an external effect although it did not end with success.
    pub outcome_unknown: bool,
    /// The plugin that queued the jobs.
    pub plugin: Option<PluginId>,
    /// Jobs that the plugin queued for itself.
    pub jobs: Vec<EnqueuedJob>,
}

/// What a delivery brings to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A message that brings pages.
    Message(MessageId),
    /// A test of the way to them.
    Test(TestId),
}

/// How a delivery ended.
#[derive(Debug)]
pub enum End {
    Done,
    /// The receiver ignored it.
    Ignored(String),
    /// It is no longer wanted.
    Dropped,
    /// It failed and is retried.
    Again {
        /// The receiver's error.
        why: String,
        /// The delay that the receiver asks for, in milliseconds.
        hint_ms: Option<u64>,
    },
    /// It is retried until the operator has fixed the configuration.
    Misconfigured(String),
    /// It failed permanently.
    GivenUp(String),
}

impl Ended {
    /// The end of a delivery without pages and without queued jobs.
    #[must_use]
    pub fn of(end: End) -> Self {
        Self {
            end,
            about: None,
            outcome_unknown: false,
            plugin: None,
            jobs: Vec::new(),
        }
    }

    pub(crate) fn again(why: String) -> Self {
        Self::of(End::Again { why, hint_ms: None })
    }

    pub(crate) fn given_up(why: String) -> Self {
        Self::of(End::GivenUp(why))
    }

    pub(crate) fn dropped(why: &'static str) -> Self {
        tracing::debug!(why, "a delivery is dropped");
        Self::of(End::Dropped)
    }
}

impl End {
    pub(crate) fn word(&self) -> &'static str {
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

/// The engine request that settles a delivery.
#[derive(Debug)]
pub struct Settlement {
    pub request: Request,
    /// Why the delivery is given up, if it becomes a dead letter.
    pub given_up: Option<String>,
}

/// The engine request that settles a delivery and, in the same batch, sets the timer that records
/// the outcome of its pages in their incidents. `jitter` is between 0 and 1. Pure, so that the
/// simulator decides like the daemon.
#[must_use]
pub fn settlement(claim: &Claimed, ended: Ended, now: Timestamp, jitter: f64) -> Settlement {
    let Ended {
        end,
        about,
        outcome_unknown,
        plugin,
        jobs,
    } = ended;
    // The outcome of an interrupted attempt stays unknown, however the next one ends.
    let outcome_unknown = outcome_unknown || claim.interrupted;
    let mut also = Write::default();
    if let Some(plugin) = plugin {
        also.outbox
            .extend(jobs.into_iter().map(|job| job_row(&plugin, job, now)));
    }
    match about {
        Some(About::Message(it)) => {
            message_settlement(claim, (it, end, outcome_unknown), also, now, jitter)
        }
        Some(About::Test(it)) => test_settlement(claim, (it, end), also, now, jitter),
        None => chore_settlement(claim, end, also, now, jitter),
    }
}

/// A misconfigured plugin does not delay a page: when a page fails, the next rung is tried.
fn message_settlement(
    claim: &Claimed,
    (message, end, outcome_unknown): (MessageId, End, bool),
    mut also: Write,
    now: Timestamp,
    jitter: f64,
) -> Settlement {
    let mut settles = Settle {
        token: claim.token.clone(),
        retry_at: None,
    };
    if let End::Again { hint_ms, .. } = &end {
        settles.retry_at = next_attempt(RetryPolicy::PAGE, claim, now, *hint_ms, jitter);
    }
    let outcome = match end {
        End::Done => MessageOutcome::Accepted {
            interrupted: claim.interrupted,
        },
        End::Ignored(reason) | End::GivenUp(reason) | End::Misconfigured(reason) => {
            tracing::warn!(%message, reason, "a message with pages failed");
            MessageOutcome::Failed {
                reason,
                outcome_unknown,
            }
        }
        End::Dropped | End::Again { .. } => match outcome_unknown {
            true => MessageOutcome::Unknown,
            false => MessageOutcome::Undelivered,
        },
    };
    also.timers_set.push(outcome_timer(&message, &outcome, now));
    finished(settles, also)
}

/// What became of a test is noted in its row, in the batch that settles it.
fn test_settlement(
    claim: &Claimed,
    (test, end): (TestId, End),
    mut also: Write,
    now: Timestamp,
    jitter: f64,
) -> Settlement {
    let mut settles = Settle {
        token: claim.token.clone(),
        retry_at: None,
    };
    let outcome = match end {
        End::Done => Some(TestOutcome::Accepted),
        End::Again { why, hint_ms } => {
            settles.retry_at = next_attempt(RetryPolicy::TEST, claim, now, hint_ms, jitter);
            Some(match settles.retry_at {
                Some(_) => TestOutcome::Retried(why),
                None => TestOutcome::Failed(why),
            })
        }
        End::Ignored(why) | End::GivenUp(why) | End::Misconfigured(why) => {
            Some(TestOutcome::Failed(why))
        }
        End::Dropped => None,
    };
    let Some(outcome) = outcome else {
        return finished(settles, also);
    };
    also.settles = Some(settles);
    Settlement {
        request: Request::Test(Box::new(TestRequest::Note {
            test,
            outcome,
            also,
        })),
        given_up: None,
    }
}

fn chore_settlement(
    claim: &Claimed,
    end: End,
    also: Write,
    now: Timestamp,
    jitter: f64,
) -> Settlement {
    let policy = RetryPolicy::CHORE;
    let (why, hint_ms) = match end {
        End::Done | End::Ignored(_) | End::Dropped => {
            let settles = Settle {
                token: claim.token.clone(),
                retry_at: None,
            };
            return finished(settles, also);
        }
        End::GivenUp(why) => return retry_or_give_up(None, claim, why, also, now),
        End::Misconfigured(why) => (why, Some(policy.longest_ms)),
        End::Again { why, hint_ms } => (why, hint_ms),
    };
    let at = next_attempt(policy, claim, now, hint_ms, jitter);
    retry_or_give_up(at, claim, why, also, now)
}

impl Settlement {
    /// Drops the jobs that a plugin queued for itself; returns how many.
    fn drop_jobs(&mut self) -> usize {
        let outbox = match &mut self.request {
            Request::Write(write) => &mut write.outbox,
            Request::Test(test) => match test.as_mut() {
                TestRequest::Note { also, .. } => &mut also.outbox,
                TestRequest::Begin(_) => return 0,
            },
            _ => return 0,
        };
        std::mem::take(outbox).len()
    }
}

fn next_attempt(
    policy: RetryPolicy,
    claim: &Claimed,
    now: Timestamp,
    hint_ms: Option<u64>,
    jitter: f64,
) -> Option<Timestamp> {
    let (attempts, age_ms) = (claim.row.attempts, now.since(claim.row.created_at));
    retry_at(policy, attempts, age_ms, now, hint_ms, jitter)
}

/// Queues a delivery for another attempt, or gives it up: it then becomes a dead letter with the
/// receiver's error.
fn retry_or_give_up(
    retry_at: Option<Timestamp>,
    claim: &Claimed,
    why: String,
    mut also: Write,
    now: Timestamp,
) -> Settlement {
    let settles = Settle {
        token: claim.token.clone(),
        retry_at,
    };
    if retry_at.is_some() {
        return finished(settles, also);
    }
    match dead_letter::add(claim, &why, now) {
        Ok(rows) => also.rows = std::mem::take(&mut also.rows).and(rows),
        Err(error) => tracing::error!(%error, "cannot store a dead letter"),
    }
    Settlement {
        given_up: Some(why),
        ..finished(settles, also)
    }
}

fn finished(settles: Settle, also: Write) -> Settlement {
    let write = Write {
        settles: Some(settles),
        ..also
    };
    Settlement {
        request: Request::Write(Box::new(write)),
        given_up: None,
    }
}

impl Outbox {
    pub(crate) async fn settle(&self, claim: Claimed, ended: Ended) -> Result<(), EngineError> {
        let settlement = settlement(&claim, ended, self.clock.now(), jitter());
        if let Some(why) = &settlement.given_up {
            tracing::error!(lane = claim.row.key.lane, why, "a delivery was given up");
            self.metrics.dead_letter();
        }
        match self.ask_jobs_or_none(settlement).await {
            // The delivery is settled even if its incident has changed or does not exist, and even
            // if its test is not known any more.
            Ok(_)
            | Err(
                EngineError::Refused(Refusal::Stale(_) | Refusal::Invalid(_))
                | EngineError::NoIncident(_),
            ) => Ok(()),
            Err(error) => unless_fenced(error),
        }
    }

    /// Settles with the plugin's jobs, or without them if they are too large: a delivery must not
    /// be repeated forever for a job that cannot be stored.
    async fn ask_jobs_or_none(&self, mut settlement: Settlement) -> Result<Answer, EngineError> {
        match self.writer.ask(settlement.request.clone()).await {
            Err(EngineError::Commit(error @ CommitError::TooLarge { .. })) => {
                match settlement.drop_jobs() {
                    0 => Err(error.into()),
                    jobs => {
                        tracing::error!(%error, jobs, "a plugin's jobs are too large; dropped");
                        self.writer.ask(settlement.request).await
                    }
                }
            }
            answer => answer,
        }
    }
}

/// A delivery that another claim has taken over is settled by that claim.
fn unless_fenced(error: EngineError) -> Result<(), EngineError> {
    match error {
        EngineError::Commit(CommitError::Fenced(lane)) => {
            tracing::warn!(
                lane,
                "a delivery took longer than its claim; its outcome is not recorded"
            );
            Ok(())
        }
        error => Err(error),
    }
}

/// Prefix of the lanes of a plugin's jobs.
pub(crate) fn job_lanes(plugin: &PluginId) -> String {
    format!("{plugin}/job-")
}

/// The outbox row of a plugin's job.
pub(crate) fn job_row(plugin: &PluginId, job: EnqueuedJob, now: Timestamp) -> NewDelivery {
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
            format!("{}{key}", job_lanes(plugin)),
            Some("job".to_owned()),
        ),
        None => (Class::Bulk, format!("{}{id}", job_lanes(plugin)), None),
    };
    let delivery = Delivery::Job {
        plugin: plugin.clone(),
        id,
        topic,
        payload,
    };
    let mut row = row_of(class, lane, coalesce, now, &delivery);
    row.not_before = now.plus_ms(delay_ms);
    row
}

/// A random number between 0 and 1.
fn jitter() -> f64 {
    let mut bytes = [0_u8; 2];
    // Without randomness, retries only lack jitter.
    let _optional = getrandom::fill(&mut bytes);
    f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tocsin_store::{ClaimToken, OutboxKey, OutboxRow};

    use super::*;

    #[test]
    fn what_became_of_an_attempt_is_told_in_the_batch_that_settles_it() {
        let again = || End::Again {
            why: "no answer".to_owned(),
            hint_ms: None,
        };
        let cases = [
            (again(), false, true, "unknown"),
            (again(), true, false, "unknown"),
            (again(), false, false, "undelivered"),
            (End::Dropped, true, false, "unknown"),
            (End::Dropped, false, false, "undelivered"),
            (End::Done, false, false, "accepted"),
        ];
        for (end, interrupted, outcome_unknown, tells) in cases {
            let ended = Ended {
                about: MessageId::parse("message-1-ada").map(About::Message),
                outcome_unknown,
                ..Ended::of(end)
            };
            let settlement = settlement(&claim(interrupted), ended, Timestamp(0), 0.5);
            let Request::Write(write) = settlement.request else {
                panic!("{:?}", settlement.request);
            };
            let told: Vec<_> = write.timers_set.iter().map(|it| &it.key.id).collect();
            assert_eq!(told, [&format!("message-1-ada/{tells}")]);
            assert!(write.settles.is_some());
        }
    }

    #[test]
    fn what_became_of_a_test_is_noted_in_the_batch_that_settles_it() {
        let cases = [
            (End::Done, TestOutcome::Accepted),
            (
                End::Misconfigured("no token".to_owned()),
                TestOutcome::Failed("no token".to_owned()),
            ),
            (
                End::Again {
                    why: "busy".to_owned(),
                    hint_ms: None,
                },
                TestOutcome::Retried("busy".to_owned()),
            ),
        ];
        for (end, wanted) in cases {
            let ended = Ended {
                about: TestId::parse("test-1-ada").map(About::Test),
                ..Ended::of(end)
            };
            let Request::Test(test) = settlement(&claim(false), ended, Timestamp(0), 0.5).request
            else {
                panic!("no test is noted");
            };
            let TestRequest::Note { outcome, also, .. } = *test else {
                panic!("a test is begun");
            };
            assert_eq!(outcome, wanted);
            let again = also.settles.map(|it| it.retry_at.is_some());
            assert_eq!(again, Some(matches!(wanted, TestOutcome::Retried(_))));
        }
    }

    fn claim(interrupted: bool) -> Claimed {
        let key = OutboxKey {
            class: Class::Page,
            lane: "ada/slack".to_owned(),
            seq: 1,
        };
        let row = OutboxRow {
            key: key.clone(),
            coalesce: None,
            not_before: Timestamp(0),
            created_at: Timestamp(0),
            attempts: 1,
            body: Value::Null,
        };
        Claimed {
            token: ClaimToken { key, fence: 1 },
            row,
            interrupted,
        }
    }
}
