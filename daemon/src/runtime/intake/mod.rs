//! Passes signals to the engine: truncates them to their limits, assesses them with policies in a
//! bounded pool, queues them at the writer, and reassesses them if the state has changed meanwhile.

mod around;
pub mod assess;
mod changes;
mod completed;
pub mod expected;
pub mod failures;
mod handover;
pub(crate) mod last_good;
mod night;
mod observed;
mod page_tests;
pub mod policies;
pub(crate) mod pool;
pub mod senders;

use std::sync::Arc;

use tocsin_core::command::{Command, Refusal};
use tocsin_core::incident::Prompt;
use tocsin_core::pager::PageAttempt;
use tocsin_core::standing::Review;
use tocsin_core::{Actor, Draft, IncidentId, MessageId, Signal, SignalStatus, Timestamp};
use tocsin_store::{CommandKey, CommitError};
use tokio::sync::oneshot;

use assess::Assessor;
use pool::PolicyPool;
use senders::Senders;

use crate::metrics::Metrics;
use crate::people::ResponderLookup;
use crate::runtime::clock::Clock;
use crate::runtime::engine::handle::EngineHandle;
use crate::runtime::engine::request::{Answer, Cause, Done, Request, Write};
use crate::runtime::engine::writer::{Pending, Ticket, Writer};
use crate::runtime::error::EngineError;
use crate::runtime::outbox::telling::{MessageOutcome, outcome_timer};
use crate::runtime::state::tables::pager::{BundlePart, bundle};
use crate::runtime::state::view::View;

pub use night::plans_tried;
pub use observed::Observed;

/// How often a signal is assessed at most: once, and twice more if the state has changed.
const ASSESSMENTS_MAX: usize = 3;

/// A value too large for the store is the daemon's fault and not the sender's: with a 4xx response
/// the sender would drop the alert.
fn never_the_senders_fault(error: EngineError) -> EngineError {
    match error {
        EngineError::Commit(CommitError::TooLarge { .. }) => {
            EngineError::Damaged(format!("an alert does not fit: {error}"))
        }
        error => error,
    }
}

/// The result of a sender's signals.
#[derive(Clone, Debug, Default)]
pub struct Accepted {
    /// How many were accepted; each is durable.
    pub signals: usize,
    /// The numbers of the incidents that they opened.
    pub opened: Vec<u64>,
}

/// Passes signals and commands to the engine, after assessing them with policies in a bounded pool.
pub struct Intake {
    clock: Arc<dyn Clock>,
    view: Arc<View>,
    writer: Writer,
    assessor: Arc<Assessor>,
    senders: Senders,
    calls: PolicyPool,
    metrics: Arc<Metrics>,
}

impl Intake {
    /// An intake that uses the assessor's policies.
    #[must_use]
    pub fn new(base: EngineHandle, assessor: Arc<Assessor>, senders: Senders) -> Self {
        let EngineHandle {
            clock,
            view,
            writer,
            metrics,
        } = base;
        Self {
            clock,
            view,
            writer,
            assessor,
            senders,
            calls: PolicyPool::default(),
            metrics,
        }
    }

    /// Looks up who steps page.
    #[must_use]
    pub(crate) fn responders(&self) -> &ResponderLookup {
        &self.assessor.responders
    }

    /// Accepts a sender's signals. When this returns, each is durable.
    ///
    /// # Errors
    /// [`EngineError`] when one could not be accepted; the others are. The sender may repeat all of
    /// them.
    pub async fn take(self: &Arc<Self>, signals: Vec<Signal>) -> Result<Accepted, EngineError> {
        let now = self.clock.now();
        let count = signals.len();
        let complete = |signal: Signal| match self.senders.get(&signal.integration) {
            Some(rules) => rules.complete(signal, now),
            None => vec![signal],
        };
        let signals = signals.into_iter().flat_map(complete).map(Observed::now);
        let taken = self.take_observed(signals.collect()).await?;
        Ok(Accepted {
            signals: count,
            ..taken
        })
    }

    /// What the configuration says about senders.
    #[must_use]
    pub(crate) fn senders(&self) -> &Senders {
        &self.senders
    }

    pub(crate) async fn take_observed(
        self: &Arc<Self>,
        signals: Vec<Observed>,
    ) -> Result<Accepted, EngineError> {
        let mut taken = Accepted {
            signals: signals.len(),
            opened: Vec::new(),
        };
        let mut left: Vec<Observed> = signals.into_iter().map(Observed::bounded).collect();
        let mut first_error = None;
        for attempt in 1..=ASSESSMENTS_MAX {
            let pending = self.offer_all(std::mem::take(&mut left), attempt > 1);
            for (observed, pending) in pending.await? {
                match pending.answer().await {
                    Ok(Answer::Done(done)) => taken.note(&done),
                    Ok(_) => {}
                    Err(EngineError::Refused(Refusal::NeedsVerdict)) => left.push(observed),
                    // One that fails must not affect the others.
                    Err(error) => first_error = first_error.or(Some(error)),
                }
            }
            if left.is_empty() {
                break;
            }
        }
        match first_error {
            Some(error) => Err(never_the_senders_fault(error)),
            None if left.is_empty() => {
                self.metrics.signals_taken(taken.signals);
                Ok(taken)
            }
            None => Err(EngineError::Overloaded),
        }
    }

    /// Carries out a person's or a plugin's command; a repeat with the same key is answered and
    /// not carried out.
    ///
    /// # Errors
    /// [`EngineError`] when it is refused or cannot be taken now.
    pub async fn command(
        self: &Arc<Self>,
        incident: IncidentId,
        by: Actor,
        command: Command,
        cause: impl Into<Cause>,
    ) -> Result<Done, EngineError> {
        let cause = cause.into();
        let command = self.completed(&incident, command).await?;
        let request = Request::Command {
            incident,
            by,
            command,
            cause,
        };
        done(self.writer.offer(request).await?)
    }

    /// The pages that a message brought, the worst first; none if it is not known, or no longer.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or a row is damaged.
    pub fn pages_of(&self, message: &MessageId) -> Result<Vec<PageAttempt>, EngineError> {
        let part = bundle(self.view.store(), message)?;
        Ok(part.iter().flat_map(BundlePart::named).cloned().collect())
    }

    /// How many of these questions still need an answer.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or a row is damaged.
    pub async fn count_open(&self, asked: Vec<PageAttempt>) -> Result<usize, EngineError> {
        let view = Arc::clone(&self.view);
        let counted = tokio::task::spawn_blocking(move || {
            let mut open = 0;
            for question in asked {
                let state = view.incident(&question.incident)?;
                let state = state.as_ref();
                let prompt = state.and_then(|it| it.incident.prompts.all.get(&question.page));
                open += usize::from(prompt.is_some_and(Prompt::is_open));
            }
            Ok(open)
        });
        let broken = |_| EngineError::Damaged("a count of open questions panicked".to_owned());
        counted.await.map_err(broken)?
    }

    /// Has the pages of a message told what became of it. When this returns, that is durable.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be taken now.
    pub async fn tell(
        &self,
        message: &MessageId,
        outcome: &MessageOutcome,
    ) -> Result<(), EngineError> {
        let timer = outcome_timer(message, outcome, self.clock.now());
        let write = Write {
            timers_set: vec![timer],
            ..Write::default()
        };
        self.writer.offer(Request::Write(Box::new(write))).await?;
        Ok(())
    }

    /// Ends an alert by hand; `may_see`: whether the person may see security incidents.
    ///
    /// # Errors
    /// [`EngineError`] when there is no such alert, or it cannot be ended now.
    pub async fn end_alert(
        &self,
        alert: String,
        by: Actor,
        may_see: bool,
        reason: String,
    ) -> Result<Done, EngineError> {
        let request = Request::EndAlert {
            alert,
            by,
            may_see,
            reason,
        };
        done(self.writer.offer(request).await?)
    }

    /// A name of the policies in force, as verdicts keep it.
    pub(crate) fn policies_in_force(&self) -> String {
        self.assessor.in_force()
    }

    /// What the policies say now of an incident and its alerts; `None` when there is none.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or there are too many calls.
    pub(crate) async fn review(
        self: &Arc<Self>,
        incident: IncidentId,
        now: Timestamp,
    ) -> Result<Option<Review>, EngineError> {
        self.in_policy_pool(move |it| it.assessor.review(&incident, now))
            .await
    }

    /// Signals that these alerts fire on which the routing policy kept out of incidents, and of
    /// which it now says something else.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or there are too many calls.
    pub(crate) async fn routed_otherwise(
        self: &Arc<Self>,
        keys: Vec<String>,
        now: Timestamp,
    ) -> Result<Vec<Observed>, EngineError> {
        self.in_policy_pool(move |it| {
            let mut moved = Vec::new();
            for key in keys {
                let alert = it.view.alert(&key)?;
                let alert = alert.filter(|alert| it.assessor.is_routed_otherwise(alert, now));
                moved.extend(alert.as_ref().map(Observed::again));
            }
            Ok(moved)
        })
        .await
    }

    /// Opens an incident by hand.
    ///
    /// # Errors
    /// [`EngineError`] when it is refused or cannot be taken now.
    pub async fn open(
        self: &Arc<Self>,
        draft: Draft,
        by: Actor,
        key: Option<CommandKey>,
    ) -> Result<Done, EngineError> {
        let asked = draft.clone();
        let opening =
            self.in_policy_pool(move |it| Ok(it.assessor.assess_draft(&asked, it.clock.now())));
        let opening = Box::new(opening.await?);
        done(
            self.writer
                .offer(Request::Open {
                    draft,
                    opening,
                    by,
                    key,
                })
                .await?,
        )
    }

    /// Assesses signals and queues them, so that they share a group. On overload, a sender's first
    /// signal is refused; the rest of a batch waits for room. Resolved signals need no policies.
    async fn offer_all(
        self: &Arc<Self>,
        signals: Vec<Observed>,
        whole: bool,
    ) -> Result<Vec<(Observed, Pending)>, EngineError> {
        let fires = |it: &Observed| it.signal.status == SignalStatus::Firing;
        let mut offered = Vec::with_capacity(signals.len());
        let mut chunks = chunks(signals).into_iter().peekable();
        while let Some(chunk) = chunks.next() {
            let may_wait = !offered.is_empty();
            if !chunk.iter().any(fires) {
                for observed in chunk {
                    let request = observed.clone().request(None);
                    let queued = match offered.is_empty() {
                        true => self.writer.enqueue(request)?,
                        false => self.writer.enqueue_when_free(request).await?,
                    };
                    offered.push((observed, queued));
                }
                continue;
            }
            let mut asked = Vec::with_capacity(chunk.len());
            for observed in chunk {
                let (ticket, pending) = self.writer.ticket();
                asked.push((observed.clone(), ticket));
                offered.push((observed, pending));
            }
            let queued = self.in_policy_pool(move |it| it.assess_all(asked, whole, may_wait));
            // The last chunk is not awaited here, as its signals' answers are awaited later.
            if chunks.peek().is_some() {
                queued.await?;
            }
        }
        Ok(offered)
    }

    /// Assesses signals and queues each immediately, so that the writer can process it while the
    /// next is assessed. Blocks while there is no room, except for a sender's first signal. After
    /// an error, the remaining signals get the same error.
    fn assess_all(
        &self,
        asked: Vec<(Observed, Ticket)>,
        whole: bool,
        mut may_wait: bool,
    ) -> Result<(), EngineError> {
        let now = self.clock.now();
        let mut refused = None;
        for (observed, ticket) in asked {
            let assessed = match &refused {
                None => self.assessor.assess(&observed.signal, whole, now),
                Some(why) => Err(EngineError::clone(why)),
            };
            let queued = match assessed {
                Ok(assessment) => {
                    let request = observed.request(assessment.map(Box::new));
                    self.writer.enqueue_for(ticket, request, may_wait)
                }
                Err(error) => {
                    ticket.answer(Err(error.clone()));
                    Err(error)
                }
            };
            may_wait = true;
            refused = queued.err();
        }
        refused.map_or(Ok(()), Err)
    }

    /// Runs work that may call a policy on a thread of the bounded pool, even if the returned
    /// future is dropped.
    fn in_policy_pool<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce(&Self) -> Result<T, EngineError> + Send + 'static,
    ) -> impl Future<Output = Result<T, EngineError>> {
        let (sender, called) = oneshot::channel();
        let intake = Arc::clone(self);
        self.calls.run(move |in_time| {
            let answer = in_time.and_then(|()| call(&intake));
            // Who gets the answer may stop the daemon and open its store again.
            drop(intake);
            // The caller may have gone.
            let _gone = sender.send(answer);
        });
        async {
            let broken = |_| EngineError::Damaged("a policy call panicked".to_owned());
            called.await.map_err(broken)?
        }
    }
}

impl Accepted {
    fn note(&mut self, done: &Done) {
        if let (true, Some(incident)) = (done.opened, &done.incident) {
            let (number, grade) = (incident.number, incident.grading.grade);
            // Without its title, as a later security flag could not redact the log.
            tracing::info!(number, %grade, id = %incident.id, "incident opened");
            self.opened.push(number);
        }
    }
}

/// Signals per call in the pool, so that a large batch does not block other senders.
const CHUNK_SIGNALS: usize = 64;

fn chunks(signals: Vec<Observed>) -> Vec<Vec<Observed>> {
    let mut chunks: Vec<Vec<Observed>> = Vec::new();
    for signal in signals {
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK_SIGNALS => chunk.push(signal),
            _ => chunks.push(vec![signal]),
        }
    }
    chunks
}

fn done(answer: Answer) -> Result<Done, EngineError> {
    match answer {
        Answer::Done(done) => Ok(done),
        _ => Ok(Done::default()),
    }
}

#[cfg(test)]
mod tests;
