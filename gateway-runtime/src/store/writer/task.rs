//! The writer task: gathers commands, commits them and answers their callers.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use crate::store::{
    Command, CommandOutcome, RequestRecord, Settlement, Store, StoreError,
    writer::{
        gather::BatchGatherer,
        queue::{QueuedCommand, WriterCounters},
        replies::OutcomeBatches,
    },
};

/// The most commands in one transaction.
const MAX_BATCH: usize = 256;

/// The delay before a failed write is retried.
const WRITE_RETRY_DELAY: Duration = Duration::from_millis(200);

/// The writer task.
pub(super) struct WriterTask {
    pub(super) store: Store,
    pub(super) commands: mpsc::Receiver<QueuedCommand>,
    pub(super) records: mpsc::Receiver<Box<RequestRecord>>,
    /// The commands to write for which no caller waits: records, and settlements that could not be
    /// written at once.
    pub(super) unwritten: Vec<Command>,
    pub(super) gatherer: BatchGatherer,
    pub(super) counters: Arc<WriterCounters>,
}

impl WriterTask {
    pub(super) async fn run(mut self) {
        if self.store.has_writer_thread() {
            self.gatherer.own_thread();
        }
        let mut queue = Vec::new();
        let mut records = Vec::new();
        loop {
            let is_open = tokio::select! {
                biased;
                count = self.commands.recv_many(&mut queue, MAX_BATCH) => count > 0,
                () = sleep(WRITE_RETRY_DELAY), if !self.unwritten.is_empty() => true,
                count = self.records.recv_many(&mut records, MAX_BATCH),
                    if self.unwritten.is_empty() => count > 0,
            };
            if !queue.is_empty() {
                self.gatherer.gather(queue.len(), || self.commands.len(), MAX_BATCH).await;
                while queue.len() < MAX_BATCH
                    && let Ok(command) = self.commands.try_recv()
                {
                    queue.push(command);
                }
            }
            while self.unwritten.len() + records.len() < MAX_BATCH
                && let Ok(record) = self.records.try_recv()
            {
                records.push(record);
            }
            self.unwritten.extend(records.drain(..).map(into_command));
            let written = self.batch(&mut queue).await;
            if !is_open && (!written || self.unwritten.is_empty() && self.records.is_empty()) {
                return self.log_unwritten();
            }
        }
    }

    /// Logs what can no longer be written, so that nothing is lost silently.
    fn log_unwritten(mut self) {
        while let Ok(record) = self.records.try_recv() {
            self.unwritten.push(into_command(record));
        }
        for command in self.unwritten {
            if let Command::Settle(settlement) = command {
                log_lost_record(
                    &settlement.request,
                    "the gateway is shutting down, and the database is unavailable",
                );
            }
        }
    }

    /// Writes the queued and the unwritten commands. Returns false if the database is unavailable.
    async fn batch(&mut self, queue: &mut Vec<QueuedCommand>) -> bool {
        let queued = queue.drain(..).map(|queued| (queued.command, queued.waiter));
        let (mut commands, waiters): (Vec<_>, Vec<_>) = queued.unzip();
        let answered = waiters.len();
        commands.append(&mut self.unwritten);
        if commands.is_empty() {
            return true;
        }
        let begin = Instant::now();
        let committed = self.store.commit(&commands).await;
        let took = begin.elapsed();
        let outcomes = match committed {
            Ok(outcomes) => {
                self.counters.commits.fetch_add(1, Relaxed);
                self.counters.commands.fetch_add(outcomes.len() as u64, Relaxed);
                outcomes.into_iter().map(Ok).collect()
            }
            // A command that is rejected must not fail the others.
            Err(error) if commands.len() > 1 && error.is_refusal() => {
                one_by_one(&self.store, &commands).await
            }
            Err(error) => vec![Err(error); commands.len()],
        };
        let mut waiters = waiters.into_iter();
        let mut outcome_batches = OutcomeBatches::default();
        let mut is_available = true;
        for (command, outcome) in commands.into_iter().zip(outcomes) {
            let waiter = waiters.next().flatten();
            if let Err(error) = &outcome {
                is_available &= error.is_refusal();
                self.failed(&command, error);
            }
            if let Some(waiter) = waiter {
                outcome_batches.add(waiter, outcome, command);
            }
        }
        self.gatherer.committed(took, answered, self.commands.len());
        outcome_batches.send();
        self.counters.unwritten.store(self.unwritten.len() as u64, Relaxed);
        is_available
    }

    /// Queues a failed settlement again, unless the database rejects it. A duplicate is no loss:
    /// the settlement was written by a commit whose outcome was ambiguous.
    fn failed(&mut self, command: &Command, error: &StoreError) {
        let Command::Settle(settlement) = command else { return };
        if !error.is_refusal() {
            self.unwritten.push(command.clone());
        } else if !error.is_duplicate() {
            log_lost_record(&settlement.request, error);
        }
    }
}

/// Logs a record that cannot be written.
pub(super) fn log_lost_record(request: &RequestRecord, reason: impl fmt::Display) {
    let row = serde_json::to_string(request).unwrap_or_default();
    tracing::error!(row, %reason, "record not written; this line is its only copy");
}

fn into_command(request: Box<RequestRecord>) -> Command {
    Command::Settle(Box::new(Settlement { request: *request, hold: None, claim: None }))
}

async fn one_by_one(
    store: &Store,
    commands: &[Command],
) -> Vec<Result<CommandOutcome, StoreError>> {
    let mut outcomes = Vec::with_capacity(commands.len());
    for command in commands {
        let outcome = store.commit(std::slice::from_ref(command)).await;
        outcomes.push(outcome.and_then(|mut one| {
            one.pop().ok_or(StoreError::ambiguous("the store returned no outcome"))
        }));
    }
    outcomes
}
