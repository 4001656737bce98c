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
pub(in crate::store) type CommandResult = Result<CommandOutcome, StoreError>;

/// A waiter for the outcome of one command.
#[derive(Debug)]
pub(in crate::store) struct Waiter {
    sender: oneshot::Sender<CommandResult>,
    wake_queue: WakeQueue,
}

impl Waiter {
    /// Creates a waiter that wakes the calling task, and the receiver of its outcome. Must be
    /// called within a runtime.
    pub(in crate::store) fn new() -> (Self, oneshot::Receiver<CommandResult>) {
        let (sender, outcome) = oneshot::channel();
        (Self { sender, wake_queue: WakeQueue::current() }, outcome)
    }
}

/// An outcome on its way to the waiter, and the command, which is freed there.
#[derive(Debug)]
struct QueuedOutcome {
    sender: oneshot::Sender<CommandResult>,
    outcome: CommandResult,
    _command: Command,
}

/// The outcomes to send, grouped by the runtime of their waiters.
#[derive(Debug, Default)]
pub(in crate::store) struct OutcomeBatches(WakeBatches<QueuedOutcome>);

impl OutcomeBatches {
    pub(in crate::store) fn add(
        &mut self,
        waiter: Waiter,
        outcome: CommandResult,
        command: Command,
    ) {
        self.0.add(
            waiter.wake_queue,
            QueuedOutcome { sender: waiter.sender, outcome, _command: command },
        );
    }

    pub(in crate::store) fn send(mut self) {
        self.0.send(|queued| {
            // A caller that is gone needs no outcome; the command is committed all the same.
            let _ = queued.sender.send(queued.outcome);
        });
    }
}
