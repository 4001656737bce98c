//! The journal's answers on their way to those who wait. The changes go back with them, since memory is cheapest to
//! free where it was made.

use tokio::sync::oneshot;

use crate::{
    base::batch_wake::{WakeBatches, WakeQueue},
    store::{Command, CommandOutcome, StoreError},
};

/// What came of a change.
pub(in crate::store) type Answer = Result<CommandOutcome, StoreError>;

/// Where one answer is awaited.
#[derive(Debug)]
pub(in crate::store) struct Waiter {
    asker: oneshot::Sender<Answer>,
    home: WakeQueue,
}

impl Waiter {
    /// By the task that calls this, and what it awaits. Called within a runtime.
    pub(in crate::store) fn here() -> (Self, oneshot::Receiver<Answer>) {
        let (asker, answer) = oneshot::channel();
        (Self { asker, home: WakeQueue::current() }, answer)
    }
}

/// Answers on their way.
#[derive(Debug, Default)]
pub(in crate::store) struct OutcomeBatches(WakeBatches<(oneshot::Sender<Answer>, Answer, Command)>);

impl OutcomeBatches {
    pub(in crate::store) fn add(&mut self, asked: Waiter, answer: Answer, change: Command) {
        self.0.add(asked.home, (asked.asker, answer, change));
    }

    pub(in crate::store) fn send(mut self) {
        self.0.send(|(asker, answer, _)| {
            // Whoever has gone away does not want to know; it lasts all the same.
            let _ = asker.send(answer);
        });
    }
}
