//! The writer: a thread that takes all queued requests, has the engine process them as a group
//! with one flush, and answers them. It is a thread because a commit blocks on the disk.

use std::sync::Arc;
use std::thread;

use tocsin_store::StoreError;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::metrics::Commits;
use crate::runtime::clock::Clock;
use crate::runtime::engine::Engine;
use crate::runtime::engine::request::{Answer, Request};
use crate::runtime::error::EngineError;

/// Most requests in one commit.
const GROUP_REQUESTS_MAX: usize = 256;

struct Envelope {
    request: Request,
    answer: oneshot::Sender<Result<Answer, EngineError>>,
}

/// Sends requests to the writer. Cheap to clone; the thread ends when the last one is dropped.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Envelope>,
    failed: watch::Receiver<Option<StoreError>>,
}

impl Writer {
    /// Most requests waiting for the writer; more are refused as overload.
    pub const QUEUE_REQUESTS_MAX: usize = 8_192;

    /// Starts the thread. `woken` is notified after a commit that may have added a delivery or an
    /// earlier timer; `commits` records how long each commit took.
    ///
    /// # Errors
    /// [`std::io::Error`] when the thread cannot be started.
    pub fn start(
        mut engine: Engine,
        clock: Arc<dyn Clock>,
        woken: Arc<Notify>,
        commits: Arc<Commits>,
    ) -> std::io::Result<(Self, thread::JoinHandle<()>)> {
        let (queue, requests) = mpsc::channel::<Envelope>(Self::QUEUE_REQUESTS_MAX);
        let (fail, failed) = watch::channel(None);
        let thread = thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || {
                let work = || {
                    let clock = clock.as_ref();
                    write_until_closed(&mut engine, requests, clock, &woken, &commits)
                };
                let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                let error = match ended {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => error,
                    Err(_) => StoreError::Io {
                        action: "the writer's thread failed".to_owned(),
                        reason: "a panic, reported above".to_owned(),
                    },
                };
                tracing::error!(%error, "the store failed; the daemon accepts no more requests");
                fail.send_replace(Some(error));
            })?;
        Ok((Self { queue, failed }, thread))
    }

    /// Sends a request and waits for the answer, unless the queue is full.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] when the queue is full, and whatever the engine answers.
    pub async fn offer(&self, request: Request) -> Result<Answer, EngineError> {
        self.enqueue(request)?.answer().await
    }

    /// Queues a request, unless the queue is full; the answer is awaited separately, so that many
    /// requests of one sender share a group.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] when the queue is full; the store's error when it has failed.
    pub fn enqueue(&self, request: Request) -> Result<Pending, EngineError> {
        let (ticket, pending) = self.ticket();
        self.enqueue_for(ticket, request, false)?;
        Ok(pending)
    }

    /// A ticket for the answer to a later request, so that the caller is woken only once although
    /// other threads prepare the request.
    pub(crate) fn ticket(&self) -> (Ticket, Pending) {
        let (answer, receiver) = oneshot::channel();
        let writer = self.clone();
        (Ticket(answer), Pending { receiver, writer })
    }

    /// Queues a request whose answer, or error, goes to `ticket`. With `may_wait`, blocks the
    /// thread until there is room.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub(crate) fn enqueue_for(
        &self,
        ticket: Ticket,
        request: Request,
        may_wait: bool,
    ) -> Result<(), EngineError> {
        let Ticket(answer) = ticket;
        let envelope = Envelope { request, answer };
        let (envelope, error) = match self.queue.try_send(envelope) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Full(envelope)) if may_wait => {
                match self.queue.blocking_send(envelope) {
                    Ok(()) => return Ok(()),
                    Err(mpsc::error::SendError(envelope)) => (envelope, self.why_closed()),
                }
            }
            Err(mpsc::error::TrySendError::Full(envelope)) => (envelope, EngineError::Overloaded),
            Err(mpsc::error::TrySendError::Closed(envelope)) => (envelope, self.why_closed()),
        };
        Ticket(envelope.answer).answer(Err(error.clone()));
        Err(error)
    }

    /// Queues a request once there is room, for later signals of a sender whose first one was
    /// accepted.
    ///
    /// # Errors
    /// The store's error when it has failed.
    pub async fn enqueue_when_free(&self, request: Request) -> Result<Pending, EngineError> {
        let (Ticket(answer), pending) = self.ticket();
        let sent = self.queue.send(Envelope { request, answer }).await;
        sent.map_err(|_| self.why_closed())?;
        Ok(pending)
    }

    /// Sends a request, waiting for room, and waits for the answer: for the daemon's own work, such
    /// as a timer that fired.
    ///
    /// # Errors
    /// Whatever the engine answers.
    pub async fn ask(&self, request: Request) -> Result<Answer, EngineError> {
        self.enqueue_when_free(request).await?.answer().await
    }

    /// Why the store failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<StoreError> {
        self.failed.borrow().clone()
    }

    /// Waits until the store fails, and returns the error.
    pub async fn failed(&self) -> StoreError {
        let mut failed = self.failed.clone();
        loop {
            if let Some(error) = failed.borrow_and_update().clone() {
                return error;
            }
            if failed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// How many requests wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    /// Why a dropped request has no answer: the store failed, the daemon is stopping, or there was
    /// no room for the request.
    fn why_closed(&self) -> EngineError {
        match self.failure() {
            Some(error) => EngineError::Store(error),
            None if self.queue.is_closed() => EngineError::Stopping,
            None => EngineError::Overloaded,
        }
    }
}

/// Where the answer to a request goes.
pub(crate) struct Ticket(oneshot::Sender<Result<Answer, EngineError>>);

impl Ticket {
    /// Answers without the engine.
    pub(crate) fn answer(self, answer: Result<Answer, EngineError>) {
        // The caller may have gone.
        let _gone = self.0.send(answer);
    }
}

/// A request that was queued.
pub struct Pending {
    receiver: oneshot::Receiver<Result<Answer, EngineError>>,
    writer: Writer,
}

impl Pending {
    /// The engine's answer, once it is durable.
    ///
    /// # Errors
    /// Whatever the engine answers.
    pub async fn answer(self) -> Result<Answer, EngineError> {
        match self.receiver.await {
            Ok(answer) => answer,
            Err(_) => Err(self.writer.why_closed()),
        }
    }
}

fn write_until_closed(
    engine: &mut Engine,
    mut requests: mpsc::Receiver<Envelope>,
    clock: &dyn Clock,
    woken: &Notify,
    commits: &Commits,
) -> Result<(), StoreError> {
    while let Some(first) = requests.blocking_recv() {
        let group = gather(first, &mut requests);
        commits.begin();
        carry_out(engine, group, clock)?;
        commits.end(engine.take_written());
        if engine.take_wake() {
            woken.notify_one();
        }
    }
    Ok(())
}

fn gather(first: Envelope, requests: &mut mpsc::Receiver<Envelope>) -> Vec<Envelope> {
    let mut group = vec![first];
    while group.len() < GROUP_REQUESTS_MAX {
        match requests.try_recv() {
            Ok(next) => group.push(next),
            Err(_) => break,
        }
    }
    group
}

fn carry_out(
    engine: &mut Engine,
    group: Vec<Envelope>,
    clock: &dyn Clock,
) -> Result<(), StoreError> {
    let (requests, senders): (Vec<_>, Vec<_>) = group
        .into_iter()
        .map(|envelope| (envelope.request, envelope.answer))
        .unzip();
    match engine.process(requests, clock.now()) {
        Ok(answers) => {
            for (sender, answer) in senders.into_iter().zip(answers) {
                // The caller may have gone; the change is durable anyway.
                let _gone = sender.send(answer);
            }
            Ok(())
        }
        Err(error) => {
            for sender in senders {
                let _gone = sender.send(Err(EngineError::Store(error.clone())));
            }
            Err(error)
        }
    }
}
