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
    /// Notes that a caller has queued a command, and that the queue is now `waiting` long.
    pub(in crate::store) fn came(&self, waiting: usize) {
        let expected = self.expected.load(SeqCst);
        if expected != 0 && waiting >= expected && self.expected.swap(0, SeqCst) != 0 {
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
    pub(in crate::store) gate: Arc<GatherSignal>,
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
            gate: Arc::default(),
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
        let _ = self.gate.thread.set(thread::current());
    }

    /// Notes that a commit has ended after `took`: `answered` callers are answered now, and
    /// `others` are queued.
    pub(in crate::store) fn committed(&mut self, took: Duration, answered: usize, others: usize) {
        (self.batch_sent, self.others) = (answered, others);
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
    /// than `most`.
    pub(in crate::store) async fn gather(
        &mut self,
        first: usize,
        waiting: impl Fn() -> usize,
        most: usize,
    ) {
        if self.pause > 0 || self.batch_sent < MIN_BATCH {
            return;
        }
        // Some callers may not return at all.
        let expected = (self.others + self.batch_sent * 7 / 8).min(most).saturating_sub(first);
        let wait = self.commit.min(self.max_wait);
        let is_short = wait < Duration::from_millis(1) && self.gate.thread.get().is_none();
        if expected == 0 || is_short {
            return;
        }
        self.has_waited = true;
        let begin = Instant::now();
        self.gate.expected.store(expected, SeqCst);
        while waiting() < expected {
            let left = wait.saturating_sub(begin.elapsed());
            if left.is_zero() || self.gate.expected.load(SeqCst) == 0 {
                break;
            }
            self.gate.sleep(left).await;
        }
        self.gate.expected.store(0, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPICAL_COMMIT_TIME: Duration = Duration::from_millis(4);

    /// Gathers with `back` callers queued again when the wait begins.
    async fn gather(gathering: &mut BatchGatherer, first: usize, back: usize) {
        gathering.gather(first, || back, 256).await;
    }

    #[tokio::test]
    async fn gathering_waits_for_a_commit_at_most_and_then_pauses_when_nobody_comes() {
        let mut gathering = BatchGatherer::default();
        for pause in [MIN_PAUSE, MIN_PAUSE * 2, MIN_PAUSE * 4] {
            gathering.committed(TYPICAL_COMMIT_TIME, 64, 32);
            assert!(gathering.pause == 0 && !gathering.has_waited);
            gather(&mut gathering, 32, 0).await;
            assert!(gathering.has_waited, "the first batch of a round is waited for");
            gathering.committed(TYPICAL_COMMIT_TIME, 32, 32);
            for _ in 0..pause {
                gather(&mut gathering, 32, 0).await;
                assert!(
                    !gathering.has_waited,
                    "no wait within {pause} batches after one that saved nothing"
                );
                gathering.committed(TYPICAL_COMMIT_TIME, 32, 32);
            }
        }
    }

    #[tokio::test]
    async fn gathering_goes_on_while_everybody_comes_back() {
        let mut gathering = BatchGatherer::default();
        for _ in 0..100 {
            gathering.committed(TYPICAL_COMMIT_TIME, 64, 2);
            gather(&mut gathering, 2, 60).await;
            assert!(gathering.has_waited);
        }
    }

    #[tokio::test]
    async fn gathering_wakes_when_enough_are_there() {
        for own_thread in [true, false] {
            let minute = Duration::from_secs(60);
            let mut gathering = BatchGatherer { max_wait: minute, ..BatchGatherer::default() };
            if own_thread {
                gathering.own_thread();
            }
            gathering.committed(minute, 64, 0);
            let (gate, queue) = (Arc::clone(&gathering.gate), Arc::new(AtomicUsize::new(0)));
            let callers = thread::spawn({
                let queue = Arc::clone(&queue);
                move || {
                    for _ in 0..64 {
                        gate.came(queue.fetch_add(1, SeqCst) + 1);
                    }
                }
            });
            let begin = Instant::now();
            gathering.gather(1, || queue.load(SeqCst), 256).await;
            callers.join().unwrap();
            assert!(gathering.has_waited && begin.elapsed() < minute / 2);
        }
    }
}
