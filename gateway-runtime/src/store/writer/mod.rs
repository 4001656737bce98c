//! The store writer: group commit of the commands of concurrent calls.
//!
//! A commit takes about as long for one command as for a hundred, and most of that time is the
//! disk's. So commands that arrive during a commit wait and are committed together: a lone call
//! waits for its own commit only, concurrent calls share one. Records for which no caller waits are
//! added to the batch.
//!
//! Where it saves commits, the writer briefly waits for the callers that it has just answered; see
//! `gather`.

pub(super) mod gather;
pub(super) mod replies;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc::{self, error::TrySendError},
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};

use crate::store::{
    Claim, ClaimOutcome, Command, CommandOutcome, Hold, HoldOutcome, RequestRecord, Settlement,
    Store, StoreError,
    writer::{
        gather::{BatchGatherer, GatherSignal},
        replies::{OutcomeBatches, Waiter},
    },
};

/// The most commands in one transaction.
const MAX_BATCH: usize = 256;
/// The most commands in the queue; beyond it, callers wait for a place in the queue.
const MAX_QUEUED_COMMANDS: usize = 4096;
/// The most queued records for which no caller waits: some minutes of a busy gateway whose database
/// is unavailable.
const MAX_QUEUED_RECORDS: usize = 65_536;
/// The time that a caller waits before the database counts as unavailable: for the batch before its
/// own, and for its own.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// The delay before a failed write is retried.
const WRITE_RETRY_DELAY: Duration = Duration::from_millis(200);

/// A command, and the waiter for its outcome if there is one.
type QueuedCommand = (Command, Option<Waiter>);

/// A handle to the store writer, to which calls send their commands. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StoreWriter {
    changes: mpsc::Sender<QueuedCommand>,
    records: mpsc::Sender<Box<RequestRecord>>,
    gate: Arc<GatherSignal>,
    counts: Arc<WriterCounters>,
}

/// The counters of the store writer.
#[derive(Debug, Default)]
struct WriterCounters {
    unwritten: AtomicU64,
    commits: AtomicU64,
    changes: AtomicU64,
}

impl StoreWriter {
    /// Starts the writer task. The task ends when the last handle is dropped and everything is
    /// written, or when the database is unavailable at that moment.
    #[must_use]
    pub fn start(books: Store) -> (Self, JoinHandle<()>) {
        let (changes, waiting) = mpsc::channel(MAX_QUEUED_COMMANDS);
        let (records, recorded) = mpsc::channel(MAX_QUEUED_RECORDS);
        let counts = Arc::<WriterCounters>::default();
        let writer = WriterTask {
            books,
            changes: waiting,
            records: recorded,
            unwritten: Vec::new(),
            gathering: BatchGatherer::default(),
            counts: Arc::clone(&counts),
        };
        let gate = Arc::clone(&writer.gathering.gate);
        let driven = writer.books.clone().spawn_writer(Box::pin(writer.run()));
        (Self { changes, records, gate, counts }, driven)
    }

    /// Sends `change` to the writer, and waits until it is committed.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable, slow or full.
    pub async fn write(&self, change: Command) -> Result<CommandOutcome, StoreError> {
        let (waiter, answer) = Waiter::here();
        let end = Instant::now() + WRITE_TIMEOUT;
        let handed_in = self.changes.try_send((change, Some(waiter)));
        self.gate.came(self.waiting());
        if let Err(TrySendError::Full(item) | TrySendError::Closed(item)) = handed_in {
            let handed_in = timeout_at(end, self.changes.send(item)).await;
            let handed_in =
                handed_in.map_err(|_| StoreError::unavailable("too many wait for the database"))?;
            handed_in.map_err(|_| StoreError::unavailable("the journal is closed"))?;
        }
        match timeout_at(end, answer).await {
            Ok(outcome) => {
                outcome.unwrap_or(Err(StoreError::ambiguous("the journal ended over a batch")))
            }
            Err(_) => Err(StoreError::ambiguous("the database did not answer in time")),
        }
    }

    fn waiting(&self) -> usize {
        self.changes.max_capacity() - self.changes.capacity()
    }

    /// Returns the number of queued commands and records, of unwritten settlements, of committed
    /// transactions, and of the commands and records in those.
    #[must_use]
    pub fn stats(&self) -> (u64, u64, u64, u64) {
        let waiting = self.waiting();
        let recorded = self.records.max_capacity() - self.records.capacity();
        let WriterCounters { unwritten, commits, changes } = &*self.counts;
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        ((waiting + recorded) as u64, read(unwritten), read(commits), read(changes))
    }

    /// Claims an idempotency key.
    ///
    /// # Errors
    ///
    /// Fails as [`write`](Self::write) does.
    pub async fn claim(&self, claim: Claim) -> Result<ClaimOutcome, StoreError> {
        match self.write(Command::Claim(claim)).await? {
            CommandOutcome::Claim(claimed) => Ok(claimed),
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
            CommandOutcome::Hold(held) => Ok(held),
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
        let full = self.changes.try_send((Command::Settle(Box::new(settlement)), None));
        if let Err(TrySendError::Full(item)) = full {
            let changes = self.changes.clone();
            // At most as many tasks as holds were waiting. The writer never closes the channel
            // before its senders.
            tokio::spawn(async move { changes.send(item).await });
        }
    }

    /// Records a call that has neither a hold nor a claim, and for which no caller waits. If the
    /// queue is full, because the database has been unavailable for long, the record is written to
    /// the log.
    pub fn record(&self, request: Box<RequestRecord>) {
        if let Err(full) = self.records.try_send(request) {
            log_lost_record(&full.into_inner(), "the database has been away for too long");
        }
    }
}

fn unexpected(outcome: &CommandOutcome) -> StoreError {
    StoreError::ambiguous(format!("the books answered something else: {outcome:?}"))
}

/// The writer task.
struct WriterTask {
    books: Store,
    changes: mpsc::Receiver<QueuedCommand>,
    records: mpsc::Receiver<Box<RequestRecord>>,
    /// The commands to write for which no caller waits: records, and settlements that could not be
    /// written at once.
    unwritten: Vec<Command>,
    gathering: BatchGatherer,
    counts: Arc<WriterCounters>,
}

impl WriterTask {
    async fn run(mut self) {
        if self.books.has_writer_thread() {
            self.gathering.own_thread();
        }
        let (mut waiting, mut records) = (Vec::new(), Vec::new());
        loop {
            let is_open = tokio::select! {
                biased;
                count = self.changes.recv_many(&mut waiting, MAX_BATCH) => count > 0,
                () = sleep(WRITE_RETRY_DELAY), if !self.unwritten.is_empty() => true,
                count = self.records.recv_many(&mut records, MAX_BATCH),
                    if self.unwritten.is_empty() => count > 0,
            };
            if !waiting.is_empty() {
                self.gathering.gather(waiting.len(), || self.changes.len(), MAX_BATCH).await;
                while waiting.len() < MAX_BATCH
                    && let Ok(change) = self.changes.try_recv()
                {
                    waiting.push(change);
                }
            }
            while self.unwritten.len() + records.len() < MAX_BATCH
                && let Ok(record) = self.records.try_recv()
            {
                records.push(record);
            }
            self.unwritten.extend(records.drain(..).map(as_change));
            let written = self.batch(&mut waiting).await;
            if !is_open && (!written || self.unwritten.is_empty() && self.records.is_empty()) {
                return self.log_unwritten();
            }
        }
    }

    /// Logs what can no longer be written, so that nothing is lost silently.
    fn log_unwritten(mut self) {
        while let Ok(record) = self.records.try_recv() {
            self.unwritten.push(as_change(record));
        }
        for change in self.unwritten {
            if let Command::Settle(settlement) = change {
                log_lost_record(&settlement.request, "the gateway stops, and the database is away");
            }
        }
    }

    /// Writes the queued and the unwritten commands. Returns false if the database is unavailable.
    async fn batch(&mut self, waiting: &mut Vec<QueuedCommand>) -> bool {
        let (mut changes, waiters): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        let answered = waiters.len();
        changes.append(&mut self.unwritten);
        if changes.is_empty() {
            return true;
        }
        let begin = Instant::now();
        let committed = self.books.commit(&changes).await;
        let took = begin.elapsed();
        let outcomes = match committed {
            Ok(outcomes) => {
                self.counts.commits.fetch_add(1, Relaxed);
                self.counts.changes.fetch_add(outcomes.len() as u64, Relaxed);
                outcomes.into_iter().map(Ok).collect()
            }
            // A command that is rejected must not fail the others.
            Err(error) if changes.len() > 1 && error.is_refusal() => {
                one_by_one(&self.books, &changes).await
            }
            Err(error) => vec![Err(error); changes.len()],
        };
        let mut waiters = waiters.into_iter();
        let mut answers = OutcomeBatches::default();
        let mut is_there = true;
        for (change, outcome) in changes.into_iter().zip(outcomes) {
            let waiter = waiters.next().flatten();
            if let Err(error) = &outcome {
                is_there &= error.is_refusal();
                self.failed(&change, error);
            }
            if let Some(waiter) = waiter {
                answers.add(waiter, outcome, change);
            }
        }
        self.gathering.committed(took, answered, self.changes.len());
        answers.send();
        self.counts.unwritten.store(self.unwritten.len() as u64, Relaxed);
        is_there
    }

    /// Queues a failed settlement again, unless the database rejects it. A duplicate is no loss:
    /// the settlement was written by a commit whose outcome was ambiguous.
    fn failed(&mut self, change: &Command, error: &StoreError) {
        let Command::Settle(settlement) = change else { return };
        if !error.is_refusal() {
            self.unwritten.push(change.clone());
        } else if !error.is_duplicate() {
            log_lost_record(&settlement.request, error);
        }
    }
}

/// Logs a record that cannot be written.
fn log_lost_record(request: &RequestRecord, why: impl fmt::Display) {
    let row = serde_json::to_string(request).unwrap_or_default();
    tracing::error!(row, reason = %why, "record not written; this line is its only copy");
}

fn as_change(request: Box<RequestRecord>) -> Command {
    Command::Settle(Box::new(Settlement { request: *request, hold: None, claim: None }))
}

async fn one_by_one(books: &Store, changes: &[Command]) -> Vec<Result<CommandOutcome, StoreError>> {
    let mut outcomes = Vec::with_capacity(changes.len());
    for change in changes {
        let outcome = books.commit(std::slice::from_ref(change)).await;
        outcomes.push(outcome.and_then(|mut one| {
            one.pop().ok_or(StoreError::ambiguous("the books gave no outcome"))
        }));
    }
    outcomes
}
