//! Who is connected, and who is shown out when the house is full: the one that has kept the daemon
//! waiting longest. Without it, a thousand sockets that never finish their request would keep
//! every sender, and whoever asks whether the daemon lives, outside until they time out.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// A seat whose request is complete: the daemon works on it, and it is left alone.
const WORKED_ON: u64 = 0;

/// The open connections.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    seats: Mutex<HashMap<u64, Arc<Seat>>>,
    /// Grows with every wait that begins, so that the smallest has lasted longest.
    turn: AtomicU64,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Seat {
    number: u64,
    /// When the daemon began to wait for this client, as a turn; [`WORKED_ON`] when it does not.
    waits_since: AtomicU64,
    shown_out: CancellationToken,
    crowd: Arc<Crowd>,
}

impl Crowd {
    /// Seats a connection, which is yet to ask for something.
    pub(super) fn seat(self: &Arc<Self>) -> Arc<Seat> {
        let number = self.next_turn();
        let seat = Arc::new(Seat {
            number,
            waits_since: AtomicU64::new(number),
            shown_out: CancellationToken::new(),
            crowd: Arc::clone(self),
        });
        self.seats.lock().insert(number, Arc::clone(&seat));
        seat
    }

    /// Shows out whoever has kept the daemon waiting longest; false when it waits for nobody.
    pub(super) fn show_out_slowest(&self) -> bool {
        let mut seats = self.seats.lock();
        let waits = |seat: &&Arc<Seat>| seat.waits_since.load(Ordering::Relaxed) != WORKED_ON;
        let slowest = seats
            .values()
            .filter(waits)
            .min_by_key(|seat| seat.waits_since.load(Ordering::Relaxed))
            .map(|seat| seat.number);
        let slowest = slowest.and_then(|number| seats.remove(&number));
        slowest.is_some_and(|seat| {
            seat.shown_out.cancel();
            true
        })
    }

    fn next_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Seat {
    /// From now on the daemon waits for the client: for a request, for the rest of one, or for it
    /// to take the answer.
    pub(super) fn waits(&self) {
        self.waits_since
            .store(self.crowd.next_turn(), Ordering::Relaxed);
    }

    /// From now on the client waits for the daemon.
    pub(super) fn is_worked_on(&self) {
        self.waits_since.store(WORKED_ON, Ordering::Relaxed);
    }

    /// Returns when the connection must go.
    pub(super) async fn shown_out(&self) {
        self.shown_out.cancelled().await;
    }

    /// The connection has ended.
    pub(super) fn leave(&self) {
        self.crowd.seats.lock().remove(&self.number);
    }
}

/// A request's body, whose end says that the daemon's work begins.
pub(super) struct Watched<B> {
    body: B,
    seat: Arc<Seat>,
}

impl<B: Body> Watched<B> {
    pub(super) fn new(body: B, seat: Arc<Seat>) -> Self {
        match body.is_end_stream() {
            true => seat.is_worked_on(),
            false => seat.waits(),
        }
        Self { body, seat }
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
            self.seat.is_worked_on();
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
        let crowd = Arc::new(Crowd::default());
        let seats = [crowd.seat(), crowd.seat(), crowd.seat()];
        seats[0].is_worked_on();
        seats[1].waits();
        let is_out = || seats.each_ref().map(|seat| seat.shown_out.is_cancelled());
        assert!(crowd.show_out_slowest());
        assert_eq!(is_out(), [false, false, true]);
        assert!(crowd.show_out_slowest());
        assert_eq!(is_out(), [false, true, true]);
        assert!(!crowd.show_out_slowest(), "the daemon works for the other");
        seats[0].waits();
        seats[0].leave();
        assert!(!crowd.show_out_slowest(), "the house is empty");
    }
}
