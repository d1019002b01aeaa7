//! When there are too many connections, closes the one whose client has kept the daemon waiting
//! longest. Otherwise a thousand sockets that never finish their request would lock out every
//! sender and health check until they time out.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// Marks a connection whose request the daemon is handling; it is not closed.
const BUSY: u64 = 0;

/// The open connections.
#[derive(Debug, Default)]
pub(super) struct ConnectionLimiter {
    slots: Mutex<HashMap<u64, Arc<ConnectionSlot>>>,
    /// Numbers the waits in order, so that the smallest number has waited longest.
    sequence: AtomicU64,
}

#[derive(Debug)]
pub(super) struct ConnectionSlot {
    number: u64,
    /// The number of the daemon's wait for this client, or [`BUSY`].
    waiting_since: AtomicU64,
    closed: CancellationToken,
    connection_limiter: Arc<ConnectionLimiter>,
}

impl ConnectionLimiter {
    /// Adds a new connection.
    pub(super) fn slot(self: &Arc<Self>) -> Arc<ConnectionSlot> {
        let number = self.next_number();
        let slot = Arc::new(ConnectionSlot {
            number,
            waiting_since: AtomicU64::new(number),
            closed: CancellationToken::new(),
            connection_limiter: Arc::clone(self),
        });
        self.slots.lock().insert(number, Arc::clone(&slot));
        slot
    }

    /// Closes the connection that has kept the daemon waiting longest; false when all are busy.
    pub(super) fn close_slowest(&self) -> bool {
        let mut slots = self.slots.lock();
        let is_waiting =
            |slot: &&Arc<ConnectionSlot>| slot.waiting_since.load(Ordering::Relaxed) != BUSY;
        let slowest = slots
            .values()
            .filter(is_waiting)
            .min_by_key(|slot| slot.waiting_since.load(Ordering::Relaxed))
            .map(|slot| slot.number);
        let slowest = slowest.and_then(|number| slots.remove(&number));
        slowest.is_some_and(|slot| {
            slot.closed.cancel();
            true
        })
    }

    fn next_number(&self) -> u64 {
        self.sequence.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl ConnectionSlot {
    /// The daemon now waits for the client to send a request or to read the response.
    pub(super) fn set_waiting(&self) {
        self.waiting_since
            .store(self.connection_limiter.next_number(), Ordering::Relaxed);
    }

    /// The client now waits for the daemon.
    pub(super) fn set_busy(&self) {
        self.waiting_since.store(BUSY, Ordering::Relaxed);
    }

    /// Completes when the connection must be closed.
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// The connection has ended.
    pub(super) fn remove(&self) {
        self.connection_limiter.slots.lock().remove(&self.number);
    }
}

/// A request's body; marks the connection as busy when all of it has been read.
pub(super) struct RequestBody<B> {
    body: B,
    slot: Arc<ConnectionSlot>,
}

impl<B: Body> RequestBody<B> {
    pub(super) fn new(body: B, slot: Arc<ConnectionSlot>) -> Self {
        match body.is_end_stream() {
            true => slot.set_busy(),
            false => slot.set_waiting(),
        }
        Self { body, slot }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if self.body.is_end_stream() || matches!(polled, Poll::Ready(None)) {
            self.slot.set_busy();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_that_kept_the_daemon_waiting_longest_is_closed_and_never_a_busy_one() {
        let connection_limiter = Arc::new(ConnectionLimiter::default());
        let slots = [
            connection_limiter.slot(),
            connection_limiter.slot(),
            connection_limiter.slot(),
        ];
        slots[0].set_busy();
        slots[1].set_waiting();
        let closed = || slots.each_ref().map(|slot| slot.closed.is_cancelled());
        assert!(connection_limiter.close_slowest());
        assert_eq!(closed(), [false, false, true]);
        assert!(connection_limiter.close_slowest());
        assert_eq!(closed(), [false, true, true]);
        assert!(
            !connection_limiter.close_slowest(),
            "the remaining connection is busy"
        );
        slots[0].set_waiting();
        slots[0].remove();
        assert!(
            !connection_limiter.close_slowest(),
            "there are no connections"
        );
    }
}
