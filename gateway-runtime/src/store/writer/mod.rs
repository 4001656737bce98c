//! The store writer: group commit of the commands of concurrent calls, off the hot path and through
//! a bounded queue (SEMANTICS §8).
//!
//! A commit takes about as long for one command as for a hundred, and most of that time is the
//! disk's. So commands that arrive during a commit wait and are committed together: a lone call
//! waits for its own commit only, concurrent calls share one. Records for which no caller waits are
//! added to the batch.
//!
//! Where it saves commits, the writer briefly waits for the callers that it has just answered; see
//! `gather`.

pub(super) mod gather;
mod queue;
pub(super) mod replies;
mod task;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinHandle,
    time::{Instant, timeout_at},
};

pub use crate::store::writer::queue::WriterStats;
use crate::store::{
    Claim, ClaimOutcome, Command, CommandOutcome, Hold, HoldOutcome, RequestRecord, Settlement,
    Store, StoreError,
    writer::{
        gather::{BatchGatherer, GatherSignal},
        queue::{QueuedCommand, WriterCounters},
        replies::Waiter,
        task::{WriterTask, log_lost_record},
    },
};

/// The most commands in the queue; beyond it, callers wait for room in the queue.
const MAX_QUEUED_COMMANDS: usize = 4096;

/// The most queued records for which no caller waits: some minutes of a busy gateway whose database
/// is unavailable.
const MAX_QUEUED_RECORDS: usize = 65_536;

/// The time that a caller waits before the database counts as unavailable: for the batch before its
/// own, and for its own.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A handle to the store writer, to which calls send their commands. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StoreWriter {
    commands: mpsc::Sender<QueuedCommand>,
    records: mpsc::Sender<Box<RequestRecord>>,
    signal: Arc<GatherSignal>,
    counters: Arc<WriterCounters>,
}

impl StoreWriter {
    /// Starts the writer task. The task ends when the last handle is dropped and everything is
    /// written, or when the database is unavailable at that moment.
    #[must_use]
    pub fn start(store: Store) -> (Self, JoinHandle<()>) {
        let (commands, queued_commands) = mpsc::channel(MAX_QUEUED_COMMANDS);
        let (records, queued_records) = mpsc::channel(MAX_QUEUED_RECORDS);
        let counters = Arc::<WriterCounters>::default();
        let writer = WriterTask {
            store,
            commands: queued_commands,
            records: queued_records,
            unwritten: Vec::new(),
            gatherer: BatchGatherer::default(),
            counters: Arc::clone(&counters),
        };
        let signal = Arc::clone(&writer.gatherer.signal);
        let task = writer.store.clone().spawn_writer(Box::pin(writer.run()));
        (Self { commands, records, signal, counters }, task)
    }

    /// Sends `command` to the writer, and waits until it is committed.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable, slow or full.
    pub async fn write(&self, command: Command) -> Result<CommandOutcome, StoreError> {
        let (waiter, outcome) = Waiter::new();
        let end = Instant::now() + WRITE_TIMEOUT;
        let queued = self.commands.try_send(QueuedCommand { command, waiter: Some(waiter) });
        self.signal.queued(self.queued());
        if let Err(TrySendError::Full(item) | TrySendError::Closed(item)) = queued {
            let queued = timeout_at(end, self.commands.send(item)).await;
            let queued = queued
                .map_err(|_| StoreError::unavailable("too many commands wait for the database"))?;
            queued.map_err(|_| StoreError::unavailable("the store writer is closed"))?;
        }
        match timeout_at(end, outcome).await {
            Ok(outcome) => outcome
                .unwrap_or(Err(StoreError::ambiguous("the store writer ended during a batch"))),
            Err(_) => Err(StoreError::ambiguous("the database did not reply in time")),
        }
    }

    fn queued(&self) -> usize {
        self.commands.max_capacity() - self.commands.capacity()
    }

    /// Returns the counters at this moment.
    #[must_use]
    pub fn stats(&self) -> WriterStats {
        let recorded = self.records.max_capacity() - self.records.capacity();
        let WriterCounters { unwritten, commits, commands } = &*self.counters;
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        WriterStats {
            queued: (self.queued() + recorded) as u64,
            unwritten: read(unwritten),
            commits: read(commits),
            commands: read(commands),
        }
    }

    /// Claims an idempotency key.
    ///
    /// # Errors
    ///
    /// Fails as [`write`](Self::write) does.
    pub async fn claim(&self, claim: Claim) -> Result<ClaimOutcome, StoreError> {
        match self.write(Command::Claim(claim)).await? {
            CommandOutcome::Claim(outcome) => Ok(outcome),
            other => Err(unexpected(&other)),
        }
    }

    /// Places a hold.
    ///
    /// # Errors
    ///
    /// Fails as [`write`](Self::write) does.
    pub async fn hold(&self, hold: Hold) -> Result<HoldOutcome, StoreError> {
        match self.write(Command::Hold(hold)).await? {
            CommandOutcome::Hold(outcome) => Ok(outcome),
            other => Err(unexpected(&other)),
        }
    }

    /// Settles a call. After an error the write is retried for as long as the program runs.
    ///
    /// # Errors
    ///
    /// Fails as [`write`](Self::write) does.
    pub async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.write(Command::Settle(Box::new(settlement))).await.map(drop)
    }

    /// Settles a call for which no caller waits.
    pub fn settle_in_background(&self, settlement: Settlement) {
        let command = Command::Settle(Box::new(settlement));
        let full = self.commands.try_send(QueuedCommand { command, waiter: None });
        if let Err(TrySendError::Full(item)) = full {
            let commands = self.commands.clone();
            // At most as many tasks as holds were waiting. The writer never closes the channel
            // before its senders.
            tokio::spawn(async move { commands.send(item).await });
        }
    }

    /// Records a call that has neither a hold nor a claim, and for which no caller waits. If the
    /// queue is full, because the database has been unavailable for long, the record is written to
    /// the log.
    pub fn record(&self, request: Box<RequestRecord>) {
        if let Err(full) = self.records.try_send(request) {
            log_lost_record(&full.into_inner(), "the database was unavailable for too long");
        }
    }
}

fn unexpected(outcome: &CommandOutcome) -> StoreError {
    StoreError::ambiguous(format!("unexpected outcome of the store: {outcome:?}"))
}
