//! The journal's answers on their way to those who wait. The changes go back with them, since memory is cheapest to
//! free where it was made.

use tokio::sync::oneshot;

use crate::{
    base::batch_wake::{Batches, Home},
    store::{Change, Outcome, StoreError},
};

/// What came of a change.
pub(in crate::store) type Answer = Result<Outcome, StoreError>;

/// Where one answer is awaited.
#[derive(Debug)]
pub(in crate::store) struct Asked {
    asker: oneshot::Sender<Answer>,
    home: Home,
}

impl Asked {
    /// By the task that calls this, and what it awaits. Called within a runtime.
    pub(in crate::store) fn here() -> (Self, oneshot::Receiver<Answer>) {
        let (asker, answer) = oneshot::channel();
        (Self { asker, home: Home::here() }, answer)
    }
}

/// Answers on their way.
#[derive(Debug, Default)]
pub(in crate::store) struct Answers(Batches<(oneshot::Sender<Answer>, Answer, Change)>);

impl Answers {
    pub(in crate::store) fn add(&mut self, asked: Asked, answer: Answer, change: Change) {
        self.0.add(asked.home, (asked.asker, answer, change));
    }

    pub(in crate::store) fn send(mut self) {
        self.0.send(|(asker, answer, _)| {
            // Whoever has gone away does not want to know; it lasts all the same.
            let _ = asker.send(answer);
        });
    }
}
