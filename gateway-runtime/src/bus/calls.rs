//! Calls that arrive over the bus: their counters and state, for `/readyz` and `/metrics`.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::bus::BusErrorKind;

/// Reasons for which a reply is dropped, by discriminant.
const REASONS: [DroppedReply; 3] =
    [DroppedReply::Unroutable, DroppedReply::Refused, DroppedReply::Unavailable];

/// The reason for which a reply was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DroppedReply {
    /// The caller's queue does not exist: the caller has left, or never had one.
    Unroutable,
    /// The broker nacked the reply, or could not carry it: the caller's queue is full.
    Refused,
    /// The broker did not confirm the reply, or could not be reached while the caller waited.
    Unavailable,
}

impl DroppedReply {
    /// Returns the label of the reason in `/metrics`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unroutable => "unroutable",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<BusErrorKind> for DroppedReply {
    fn from(fault: BusErrorKind) -> Self {
        match fault {
            BusErrorKind::Unroutable => Self::Unroutable,
            BusErrorKind::Nacked | BusErrorKind::InvalidMessage => Self::Refused,
            BusErrorKind::Disconnected
            | BusErrorKind::Blocked
            | BusErrorKind::ConfirmTimeout
            | BusErrorKind::ReplyTimeout
            | BusErrorKind::ChannelLost => Self::Unavailable,
        }
    }
}

/// Live counters of calls. A call takes a slot while its method runs; a waiting message was
/// received and has no slot yet.
#[derive(Debug)]
pub struct CallsStatus {
    began: Instant,
    executing: AtomicU64,
    waiting: AtomicU64,
    /// The time at which a slot was last taken or freed, in milliseconds since `began`.
    moved: AtomicU64,
    /// The longest time for which a slot may be taken, in milliseconds; zero before calls are
    /// consumed.
    longest: AtomicU64,
    dropped: [AtomicU64; REASONS.len()],
}

/// A snapshot of [`CallsStatus`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallsStats {
    /// The number of calls whose methods run.
    pub executing: u64,
    /// The number of messages that wait for a slot.
    pub waiting: u64,
    /// The time for which messages have waited while no slot was taken or freed.
    pub stalled: Duration,
}

impl Default for CallsStatus {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            executing: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            moved: AtomicU64::new(0),
            longest: AtomicU64::new(0),
            dropped: Default::default(),
        }
    }
}

impl CallsStatus {
    /// Sets the longest time that a call may take. A slot that is taken for longer indicates a
    /// fault.
    pub fn set_longest(&self, longest: Duration) {
        self.longest.store(millis(longest).max(1), Ordering::Relaxed);
    }

    /// Sets the number of messages that wait for a slot.
    pub fn set_waiting(&self, waiting: usize) {
        if self.waiting.swap(waiting as u64, Ordering::Relaxed) == 0 {
            self.note_move();
        }
    }

    /// Records that a slot was taken.
    pub fn begin(&self) {
        self.executing.fetch_add(1, Ordering::Relaxed);
        self.note_move();
    }

    /// Records that a slot was freed.
    pub fn end(&self) {
        self.executing.fetch_sub(1, Ordering::Relaxed);
        self.note_move();
    }

    /// Counts a dropped reply.
    pub fn drop_reply(&self, why: DroppedReply) {
        self.dropped[why as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of dropped replies for each reason.
    pub fn dropped(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        REASONS.iter().map(|why| (why.name(), self.dropped[*why as usize].load(Ordering::Relaxed)))
    }

    /// Returns a snapshot of the counters.
    #[must_use]
    pub fn stats(&self) -> CallsStats {
        let waiting = self.waiting.load(Ordering::Relaxed);
        let since = millis(self.began.elapsed()).saturating_sub(self.moved.load(Ordering::Relaxed));
        let stalled = if waiting == 0 { 0 } else { since };
        let executing = self.executing.load(Ordering::Relaxed);
        CallsStats { executing, waiting, stalled: Duration::from_millis(stalled) }
    }

    /// Returns for how long messages have waited without a slot moving, if that exceeds the longest
    /// call.
    #[must_use]
    pub fn stuck(&self) -> Option<Duration> {
        let longest = Duration::from_millis(self.longest.load(Ordering::Relaxed));
        let stalled = self.stats().stalled;
        (!longest.is_zero() && stalled > longest).then_some(stalled)
    }

    fn note_move(&self) {
        self.moved.store(millis(self.began.elapsed()), Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    #[test]
    fn calls_are_stuck_when_messages_wait_and_no_slot_moves_for_longer_than_a_call_may_take() {
        let status = CallsStatus::default();
        status.set_longest(Duration::from_millis(20));
        status.begin();
        sleep(Duration::from_millis(30));
        assert_eq!(status.stuck(), None, "nothing waits");
        status.set_waiting(3);
        assert_eq!(status.stuck(), None, "it waits since just now");
        sleep(Duration::from_millis(30));
        assert!(status.stuck().is_some_and(|stalled| stalled >= Duration::from_millis(30)));
        assert_eq!((status.stats().executing, status.stats().waiting), (1, 3));
        status.end();
        assert_eq!(status.stuck(), None, "a slot has moved");
        status.set_waiting(0);
        sleep(Duration::from_millis(30));
        assert_eq!((status.stuck(), status.stats().stalled), (None, Duration::ZERO));
    }

    #[test]
    fn dropped_replies_are_counted_by_reason() {
        let status = CallsStatus::default();
        for fault in [
            BusErrorKind::Unroutable,
            BusErrorKind::Nacked,
            BusErrorKind::InvalidMessage,
            BusErrorKind::ConfirmTimeout,
        ] {
            status.drop_reply(fault.into());
        }
        assert_eq!(
            status.dropped().collect::<Vec<_>>(),
            [("unroutable", 1), ("refused", 2), ("unavailable", 1)]
        );
    }
}
