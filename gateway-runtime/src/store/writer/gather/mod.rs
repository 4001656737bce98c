//! The group commit delay: whether the writer waits for the callers that it has just answered, and
//! for how long.
//!
//! Callers that write again as soon as they are answered (a closed loop) form two halves: while one
//! half is committed, the other half returns. One short wait brings both into one commit. Callers
//! that take longer, at a provider, do not return in that time; then each wait only delays the
//! queued callers.
//!
//! **Rules.** The wait is never longer than recent commits have taken. It is repeated only while it
//! saves commits: after a commit that was waited for, the queue is nearly empty, because all
//! callers were in it. If the queue is not, the next batches start at once, and the wait is tried
//! again after a growing number of them.
//!
//! The writer sleeps until enough callers have returned: a wake-up for each would cost more than
//! the saved commits.

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread::{self, Thread},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

/// The smallest batch that is worth a wait.
const MIN_BATCH: usize = 8;
/// The limit of a wait, however long commits take.
const MAX_WAIT: Duration = Duration::from_millis(5);
/// The number of batches without a wait after the first wait that saved nothing; [`MAX_PAUSE`]
/// after many such waits.
const MIN_PAUSE: u32 = 32;
const MAX_PAUSE: u32 = 1024;

/// A signal that callers update when they queue a command; it wakes the writer when enough have.
#[derive(Debug, Default)]
pub(in crate::store) struct GatherSignal {
    /// The length of the queue at which the writer is woken; 0 while the writer does not wait.
    expected: AtomicUsize,
    /// The writer's thread, if it has one of its own.
    thread: OnceLock<Thread>,
    enough: Notify,
}

impl GatherSignal {
    /// Notes that a caller has queued a command, and that the queue is now `length` long.
    pub(in crate::store) fn queued(&self, length: usize) {
        let expected = self.expected.load(SeqCst);
        if expected != 0 && length >= expected && self.expected.swap(0, SeqCst) != 0 {
            match self.thread.get() {
                Some(thread) => thread.unpark(),
                None => self.enough.notify_one(),
            }
        }
    }

    /// Sleeps until enough callers have returned, or for about `time`. May return early.
    async fn sleep(&self, time: Duration) {
        if self.thread.get().is_some() {
            // No other task runs on the writer's thread, and the runtime's timers have a resolution
            // of one millisecond only.
            thread::park_timeout(time);
        } else {
            // An earlier wait may have left a notification.
            let _ = timeout(time, self.enough.notified()).await;
        }
    }
}

/// The decision about each wait.
#[derive(Debug)]
pub(in crate::store) struct BatchGatherer {
    pub(in crate::store) signal: Arc<GatherSignal>,
    /// The callers that the last batch has answered.
    batch_sent: usize,
    /// The commands that were queued when those callers were answered.
    others: usize,
    /// A moving average of the time that a commit takes.
    commit: Duration,
    /// The limit of a wait.
    max_wait: Duration,
    /// Whether the writer waited for the current batch.
    has_waited: bool,
    /// The number of batches still to start without a wait.
    pause: u32,
    /// The length of the next pause.
    next_pause: u32,
}

impl Default for BatchGatherer {
    fn default() -> Self {
        Self {
            signal: Arc::default(),
            batch_sent: 0,
            others: 0,
            commit: Duration::ZERO,
            max_wait: MAX_WAIT,
            has_waited: false,
            pause: 0,
            next_pause: MIN_PAUSE,
        }
    }
}

impl BatchGatherer {
    /// Registers the current thread as the writer's own.
    pub(in crate::store) fn own_thread(&self) {
        let _ = self.signal.thread.set(thread::current());
    }

    /// Notes that a commit has ended after `took`: `answered` callers are answered now, and
    /// `others` are queued.
    pub(in crate::store) fn committed(&mut self, took: Duration, answered: usize, others: usize) {
        self.batch_sent = answered;
        self.others = others;
        self.commit = if self.commit.is_zero() { took } else { (self.commit * 7 + took) / 8 };
        if !std::mem::take(&mut self.has_waited) {
            self.pause = self.pause.saturating_sub(1);
        } else if others * 4 > answered {
            self.pause = self.next_pause;
            self.next_pause = (self.next_pause * 2).min(MAX_PAUSE);
        } else {
            self.next_pause = (self.next_pause / 2).max(MIN_PAUSE);
        }
    }

    /// Waits, if that saves commits, until the callers that were just answered are back. `first`
    /// commands have left the queue already, and `waiting` counts those in it; no wait is for more
    /// than `max`.
    pub(in crate::store) async fn gather(
        &mut self,
        first: usize,
        waiting: impl Fn() -> usize,
        max: usize,
    ) {
        if self.pause > 0 || self.batch_sent < MIN_BATCH {
            return;
        }
        // Some callers may not return at all.
        let expected = (self.others + self.batch_sent * 7 / 8).min(max).saturating_sub(first);
        let wait = self.commit.min(self.max_wait);
        let is_short = wait < Duration::from_millis(1) && self.signal.thread.get().is_none();
        if expected == 0 || is_short {
            return;
        }
        self.has_waited = true;
        let begin = Instant::now();
        self.signal.expected.store(expected, SeqCst);
        while waiting() < expected {
            let left = wait.saturating_sub(begin.elapsed());
            if left.is_zero() || self.signal.expected.load(SeqCst) == 0 {
                break;
            }
            self.signal.sleep(left).await;
        }
        self.signal.expected.store(0, SeqCst);
    }
}
