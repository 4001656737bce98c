//! The outcomes of a batch on their way to the waiters.
//!
//! The commands return with them, because memory is cheapest to free on the thread that allocated
//! it.

use tokio::sync::oneshot;

use crate::{
    base::batch_wake::{WakeBatches, WakeQueue},
    store::{Command, CommandOutcome, StoreError},
};

/// The result of a command.
pub(in crate::store) type Answer = Result<CommandOutcome, StoreError>;

/// A waiter for the outcome of one command.
#[derive(Debug)]
pub(in crate::store) struct Waiter {
    sender: oneshot::Sender<Answer>,
    home: WakeQueue,
}

impl Waiter {
    /// Creates a waiter that wakes the calling task, and the receiver of its outcome. Must be
    /// called within a runtime.
    pub(in crate::store) fn here() -> (Self, oneshot::Receiver<Answer>) {
        let (sender, answer) = oneshot::channel();
        (Self { sender, home: WakeQueue::current() }, answer)
    }
}

/// The outcomes to send, grouped by the runtime of their waiters.
#[derive(Debug, Default)]
pub(in crate::store) struct OutcomeBatches(WakeBatches<(oneshot::Sender<Answer>, Answer, Command)>);

impl OutcomeBatches {
    pub(in crate::store) fn add(&mut self, waiter: Waiter, answer: Answer, change: Command) {
        self.0.add(waiter.home, (waiter.sender, answer, change));
    }

    pub(in crate::store) fn send(mut self) {
        self.0.send(|(sender, answer, _)| {
            // A caller that is gone needs no outcome; the command is committed all the same.
            let _ = sender.send(answer);
        });
    }
}
