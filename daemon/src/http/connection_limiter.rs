//! Which connection is closed when there are too many: the one that has kept the daemon waiting
//! longest. Without it, a thousand sockets that never finish their request would keep out every
//! sender, and every health check, until they time out.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// A connection whose request is complete: the daemon works on it, and it is left alone.
const WORKED_ON: u64 = 0;

/// The open connections.
#[derive(Debug, Default)]
pub(super) struct ConnectionLimiter {
    slots: Mutex<HashMap<u64, Arc<ConnectionSlot>>>,
    /// Grows with every wait that begins, so that the smallest has lasted longest.
    turn: AtomicU64,
}

#[derive(Debug)]
pub(super) struct ConnectionSlot {
    number: u64,
    /// When the daemon began to wait for this client, as a turn; [`WORKED_ON`] when it does not.
    waits_since: AtomicU64,
    closed: CancellationToken,
    connection_limiter: Arc<ConnectionLimiter>,
}

impl ConnectionLimiter {
    /// Adds a connection, which has sent no request yet.
    pub(super) fn slot(self: &Arc<Self>) -> Arc<ConnectionSlot> {
        let number = self.next_turn();
        let slot = Arc::new(ConnectionSlot {
            number,
            waits_since: AtomicU64::new(number),
            closed: CancellationToken::new(),
            connection_limiter: Arc::clone(self),
        });
        self.slots.lock().insert(number, Arc::clone(&slot));
        slot
    }

    /// Closes whichever has kept the daemon waiting longest; false when it waits for nobody.
    pub(super) fn close_slowest(&self) -> bool {
        let mut slots = self.slots.lock();
        let waits =
            |slot: &&Arc<ConnectionSlot>| slot.waits_since.load(Ordering::Relaxed) != WORKED_ON;
        let slowest = slots
            .values()
            .filter(waits)
            .min_by_key(|slot| slot.waits_since.load(Ordering::Relaxed))
            .map(|slot| slot.number);
        let slowest = slowest.and_then(|number| slots.remove(&number));
        slowest.is_some_and(|slot| {
            slot.closed.cancel();
            true
        })
    }

    fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl ConnectionSlot {
    /// From now on the daemon waits for the client: for a request, for the rest of one, or for it
    /// to read the answer.
    pub(super) fn waits(&self) {
        self.waits_since
            .store(self.connection_limiter.next_turn(), Ordering::Relaxed);
    }

    /// From now on the client waits for the daemon.
    pub(super) fn is_worked_on(&self) {
        self.waits_since.store(WORKED_ON, Ordering::Relaxed);
    }

    /// Returns when the connection must go.
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// The connection has ended.
    pub(super) fn leave(&self) {
        self.connection_limiter.slots.lock().remove(&self.number);
    }
}

/// A request's body, whose end says that the daemon's work begins.
pub(super) struct Watched<B> {
    body: B,
    slot: Arc<ConnectionSlot>,
}

impl<B: Body> Watched<B> {
    pub(super) fn new(body: B, slot: Arc<ConnectionSlot>) -> Self {
        match body.is_end_stream() {
            true => slot.is_worked_on(),
            false => slot.waits(),
        }
        Self { body, slot }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if self.body.is_end_stream() || matches!(polled, Poll::Ready(None)) {
            self.slot.is_worked_on();
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
    fn whoever_has_kept_the_daemon_waiting_longest_goes_and_nobody_it_works_for() {
        let connection_limiter = Arc::new(ConnectionLimiter::default());
        let slots = [
            connection_limiter.slot(),
            connection_limiter.slot(),
            connection_limiter.slot(),
        ];
        slots[0].is_worked_on();
        slots[1].waits();
        let is_out = || slots.each_ref().map(|slot| slot.closed.is_cancelled());
        assert!(connection_limiter.close_slowest());
        assert_eq!(is_out(), [false, false, true]);
        assert!(connection_limiter.close_slowest());
        assert_eq!(is_out(), [false, true, true]);
        assert!(
            !connection_limiter.close_slowest(),
            "the daemon works for the other"
        );
        slots[0].waits();
        slots[0].leave();
        assert!(
            !connection_limiter.close_slowest(),
            "there is no connection"
        );
    }
}
