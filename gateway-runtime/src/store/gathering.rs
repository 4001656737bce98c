//! Whether the journal waits for those whom it has just told, and what wakes it when they are back.
//!
//! It sleeps until enough are there: were it woken for each that comes, that would cost more than the commits that it
//! saves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// With fewer in a batch, nobody is waited for.
const FEW: usize = 8;
/// For how long after the last time that some came; what clocks here can tell apart …
const MOMENT: Duration = Duration::from_millis(1);
/// … and for how long in all.
const MOMENTS: Duration = Duration::from_millis(5);
/// So many batches go without waiting after it did not pay.
const RESTRAINT: u32 = 32;

/// Those who come pass here.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// When so many wait, the journal is woken; 0 as long as it does not gather.
    expected: AtomicUsize,
    enough: Notify,
}

impl Gate {
    /// Somebody has come; with them, so many wait.
    pub(super) fn came(&self, waiting: usize) {
        let expected = self.expected.load(SeqCst);
        if expected != 0 && waiting >= expected && self.expected.swap(0, SeqCst) != 0 {
            self.enough.notify_one();
        }
    }
}

/// Whether it pays to wait for those who were just told.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    pub(super) gate: Arc<Gate>,
    /// How many were told of the last batch …
    told: usize,
    /// … and how many others were waiting already.
    others: usize,
    /// So many batches go without waiting: the last time it did not pay.
    pause: u32,
}

impl Gathering {
    /// So many are told of a batch, and so many others wait.
    pub(super) fn told(&mut self, told: usize, others: usize) {
        (self.told, self.others) = (told, others);
    }

    /// Waits until those who were told are back, as long as they keep coming. The `first` are there; `waiting` says how many
    /// more. Nobody is waited for beyond `most`.
    pub(super) async fn gather(&mut self, first: usize, waiting: impl Fn() -> usize, most: usize) {
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        if self.told < FEW {
            return;
        }
        // A few may have left for good.
        let expected = (self.others + self.told * 7 / 8).min(most).saturating_sub(first);
        let end = Instant::now() + MOMENTS;
        self.gate.expected.store(expected, SeqCst);
        let mut there = waiting();
        while there < expected && Instant::now() < end {
            let moment = end.min(Instant::now() + MOMENT);
            // A gathering before this may have left it a reason to wake up.
            let _ = timeout_at(moment, self.gate.enough.notified()).await;
            let before = std::mem::replace(&mut there, waiting());
            if there == before {
                break;
            }
        }
        self.gate.expected.store(0, SeqCst);
        if first + there < self.others + self.told / 2 {
            self.pause = RESTRAINT;
        }
    }
}
