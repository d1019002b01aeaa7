//! Signals on their way from a door to the engine: within their limits, assessed by policies in
//! a bounded pool, decided by the writer, and asked anew when the state moved in between.

use std::sync::Arc;

use tocsin_core::command::{Command, Refusal};
use tocsin_core::{Actor, Draft, IncidentId, Signal};
use tocsin_store::CommandKey;

use super::request::{Answer, Cause, Done, EngineError, Request};
use super::{Runtime, writer::Pending};

/// Times that a signal is assessed: once, and twice more when the state had moved.
const ASSESSMENTS_MAX: usize = 3;

/// What became of a sender's signals.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// How many were taken; each is durable.
    pub signals: usize,
    /// Numbers of incidents that they opened.
    pub opened: Vec<u64>,
}

impl Runtime {
    /// Takes a sender's signals. When this returns, each is durable.
    ///
    /// # Errors
    /// [`EngineError`] when one could not be taken. Those before it are taken; a sender that
    /// repeats all of them does no harm.
    pub async fn take(self: &Arc<Self>, signals: Vec<Signal>) -> Result<Taken, EngineError> {
        let mut taken = Taken {
            signals: signals.len(),
            opened: Vec::new(),
        };
        let mut left: Vec<Signal> = signals.into_iter().map(|it| it.bounded().0).collect();
        for attempt in 1..=ASSESSMENTS_MAX {
            let pending = self
                .offer_all(std::mem::take(&mut left), attempt > 1)
                .await?;
            for (signal, pending) in pending {
                match pending.answer().await {
                    Ok(Answer::Done(done)) => taken.note(&done),
                    Ok(_) => {}
                    Err(EngineError::Refused(Refusal::NeedsVerdict)) => left.push(*signal),
                    Err(error) => return Err(error),
                }
            }
            if left.is_empty() {
                self.metrics.signals_taken(taken.signals);
                return Ok(taken);
            }
        }
        Err(EngineError::Overloaded)
    }

    /// Carries out a person's or a plugin's command; a repeat under the same key is answered and
    /// not carried out.
    ///
    /// # Errors
    /// [`EngineError`] when it is refused or cannot be taken now.
    pub async fn command(
        &self,
        incident: IncidentId,
        by: Actor,
        command: Command,
        key: Option<CommandKey>,
    ) -> Result<Done, EngineError> {
        let cause = Cause {
            key,
            ..Cause::default()
        };
        let request = Request::Command {
            incident,
            by,
            command,
            cause,
        };
        done(self.writer.offer(request).await?)
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

    /// Assesses signals and queues them, so that they share a group. Overload turns a sender away
    /// at its first signal; the rest of a large batch waits for room.
    async fn offer_all(
        self: &Arc<Self>,
        signals: Vec<Signal>,
        whole: bool,
    ) -> Result<Vec<(Box<Signal>, Pending)>, EngineError> {
        let mut pending = Vec::with_capacity(signals.len());
        for chunk in chunks(signals) {
            let assessed = self.in_policy_pool(move |it| {
                let now = it.clock.now();
                let one = |signal: Signal| {
                    let assessment = it.assessor.assess(&signal, whole, now)?;
                    Ok((Box::new(signal), assessment.map(Box::new)))
                };
                chunk
                    .into_iter()
                    .map(one)
                    .collect::<Result<Vec<_>, EngineError>>()
            });
            for (signal, assessment) in assessed.await? {
                let request = Request::Signal {
                    signal: signal.clone(),
                    assessment,
                };
                let queued = match pending.is_empty() {
                    true => self.writer.enqueue(request)?,
                    false => self.writer.enqueue_when_free(request).await?,
                };
                pending.push((signal, queued));
            }
        }
        Ok(pending)
    }

    /// Runs what may call a policy on a thread of the bounded pool: user code that spins until
    /// its limit holds up no door and no timer.
    async fn in_policy_pool<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce(&Self) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let permit = Arc::clone(&self.policy_calls).acquire_owned().await;
        let permit = permit.map_err(|_| EngineError::Stopping)?;
        let runtime = Arc::clone(self);
        let called = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            call(&runtime)
        });
        called
            .await
            .map_err(|error| EngineError::Damaged(format!("a policy call: {error}")))?
    }
}

impl Taken {
    fn note(&mut self, done: &Done) {
        if let (true, Some(incident)) = (done.opened, &done.incident) {
            let (number, grade) = (incident.number, incident.grade);
            // A security incident's title is for those with clearance, and logs are not.
            let title = (!incident.security).then_some(incident.title.as_str());
            tracing::info!(number, %grade, title, id = %incident.id, "an incident is open");
            self.opened.push(number);
        }
    }
}

/// Signals of one turn in the pool: a batch of thousands lets others in between.
const CHUNK_SIGNALS: usize = 64;

fn chunks(signals: Vec<Signal>) -> Vec<Vec<Signal>> {
    let mut chunks: Vec<Vec<Signal>> = Vec::new();
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
