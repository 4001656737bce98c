//! Brings the journal's answers to those who wait, all those of one runtime with one wake-up.
//!
//! A task that is woken from another thread costs that thread a system call, and its own runtime often a sleep and a
//! wake-up. A batch has an answer for each of some dozens of calls: it is sent whole to a task of the runtime where these
//! wait, which wakes them where they are. The changes go back with it, since memory is cheapest to free where it was made.

use std::cell::RefCell;

use tokio::{
    runtime::{Handle, Id},
    sync::{mpsc, oneshot},
};

use super::{Change, Outcome, StoreError};

/// What came of a change.
pub(super) type Answer = Result<Outcome, StoreError>;
type Batch = Vec<(oneshot::Sender<Answer>, Answer, Change)>;

/// Where one answer is awaited.
#[derive(Debug)]
pub(super) struct Asked {
    asker: oneshot::Sender<Answer>,
    runtime: mpsc::UnboundedSender<Batch>,
}

impl Asked {
    /// By the task that calls this, and what it awaits. Called within a runtime.
    pub(super) fn here() -> (Self, oneshot::Receiver<Answer>) {
        let (asker, answer) = oneshot::channel();
        (Self { asker, runtime: runtime() }, answer)
    }
}

thread_local! {
    /// The task that brings answers to the runtime which was last on this thread.
    static RUNTIME: RefCell<Option<(Id, mpsc::UnboundedSender<Batch>)>> = const { RefCell::new(None) };
}

fn runtime() -> mpsc::UnboundedSender<Batch> {
    let handle = Handle::current();
    RUNTIME.with_borrow_mut(|last| match last {
        Some((id, batches)) if *id == handle.id() => batches.clone(),
        _ => {
            let (batches, waiting) = mpsc::unbounded_channel();
            handle.spawn(bring(waiting));
            *last = Some((handle.id(), batches.clone()));
            batches
        }
    })
}

async fn bring(mut batches: mpsc::UnboundedReceiver<Batch>) {
    while let Some(batch) = batches.recv().await {
        for (asker, answer, _) in batch {
            // Whoever has gone away does not want to know; it lasts all the same.
            let _ = asker.send(answer);
        }
    }
}

/// Answers on their way, by the runtimes where they are awaited: a few, one for each thread that serves.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<(mpsc::UnboundedSender<Batch>, Batch)>);

impl Answers {
    pub(super) fn add(&mut self, asked: Asked, answer: Answer, change: Change) {
        let Asked { asker, runtime } = asked;
        match self.0.iter_mut().find(|(other, _)| other.same_channel(&runtime)) {
            Some((_, batch)) => batch.push((asker, answer, change)),
            None => self.0.push((runtime, vec![(asker, answer, change)])),
        }
    }

    /// Where a runtime has ended, nobody waits any more.
    pub(super) fn send(self) {
        for (runtime, batch) in self.0 {
            let _ = runtime.send(batch);
        }
    }
}
