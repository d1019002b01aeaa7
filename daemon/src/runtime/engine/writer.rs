//! The one writer: a thread that takes what has queued up, lets the engine carry it out as a
//! group with one flush, and answers. A thread and not a task, because a commit blocks on the
//! disk.

use std::sync::Arc;
use std::thread;

use tocsin_store::StoreError;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::metrics::Commits;
use crate::runtime::clock::Clock;
use crate::runtime::engine::Engine;
use crate::runtime::engine::request::{Answer, Request};
use crate::runtime::error::EngineError;

/// Requests that one commit takes.
const GROUP_REQUESTS_MAX: usize = 256;

struct Envelope {
    request: Request,
    answer: oneshot::Sender<Result<Answer, EngineError>>,
}

/// The way to the writer. Cheap to clone; the thread ends when the last one is dropped.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<Envelope>,
    failed: watch::Receiver<Option<StoreError>>,
}

impl Writer {
    /// Requests that wait for the writer; more are turned away as overload.
    pub const QUEUE_REQUESTS_MAX: usize = 8_192;

    /// Starts the thread. `woken` is told after a commit that may have brought something to
    /// deliver or a timer closer; `commits` hears how long each took.
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
                        action: "the writer's thread broke".to_owned(),
                        reason: "a panic, reported above".to_owned(),
                    },
                };
                tracing::error!(%error, "the store failed; the daemon stops accepting");
                fail.send_replace(Some(error));
            })?;
        Ok((Self { queue, failed }, thread))
    }

    /// Asks for something, unless too much waits already.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] when the queue is full, and whatever the engine answers.
    pub async fn offer(&self, request: Request) -> Result<Answer, EngineError> {
        self.enqueue(request)?.answer().await
    }

    /// Queues something, unless too much waits already; the answer comes later, so that many
    /// requests of one sender share a group.
    ///
    /// # Errors
    /// [`EngineError::Overloaded`] when the queue is full; the store's error when it has failed.
    pub fn enqueue(&self, request: Request) -> Result<Pending, EngineError> {
        let (ticket, pending) = self.ticket();
        self.enqueue_for(ticket, request, false)?;
        Ok(pending)
    }

    /// A place for an answer, before there is a request: so that whoever waits for it is woken
    /// once, although the request passes through other hands.
    pub(crate) fn ticket(&self) -> (Ticket, Pending) {
        let (answer, receiver) = oneshot::channel();
        let writer = self.clone();
        (Ticket(answer), Pending { receiver, writer })
    }

    /// Queues something whose answer goes to `ticket`, also when it cannot be queued. With
    /// `may_wait` it blocks the thread until there is room.
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

    /// Queues something once there is room for it: for the later signals of a sender whose first
    /// was taken in.
    ///
    /// # Errors
    /// The store's error when it has failed.
    pub async fn enqueue_when_free(&self, request: Request) -> Result<Pending, EngineError> {
        let (Ticket(answer), pending) = self.ticket();
        let sent = self.queue.send(Envelope { request, answer }).await;
        sent.map_err(|_| self.why_closed())?;
        Ok(pending)
    }

    /// Asks for something and waits for room: for what the daemon itself owes, such as a timer
    /// that fired.
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

    /// Waits until the store fails, and says why; never returns while it does not.
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

    /// Why a request that was let go has no answer: the store failed, the daemon stops, or there
    /// was no room for it on the way here.
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
        // Who asked may have gone.
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
                // Who asked may have gone; what was decided stands all the same.
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
