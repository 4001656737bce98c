//! Makes batches: what concurrent calls must have on disk is committed together.
//!
//! A commit takes about as long for one change as for a hundred, and most of that is waiting for the disk. So while one
//! batch is being committed the changes that come in meanwhile wait, and then go together: alone, a call waits for its own
//! commit and no longer; with others, they share one. Records that nobody waits for go along.
//! Where it saves commits, the writer waits a moment for the callers that it has just answered: `gathering`.

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

/// The most changes in one transaction.
const MAX_BATCH: usize = 256;
/// The most changes that may wait; beyond it, writers wait to be let in.
const MAX_QUEUED_COMMANDS: usize = 4096;
/// The most records that may wait while nobody waits for them: some minutes of a busy gateway whose database is away.
const MAX_QUEUED_RECORDS: usize = 65_536;
/// How long a writer waits before the database counts as away: for the batch before its own, and for its own.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Until what could not be written is tried again.
const WRITE_RETRY_DELAY: Duration = Duration::from_millis(200);

/// A change, and where its answer is awaited, if it is.
type QueuedCommand = (Command, Option<Waiter>);

/// Where calls hand in their changes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StoreWriter {
    changes: mpsc::Sender<QueuedCommand>,
    records: mpsc::Sender<Box<RequestRecord>>,
    gate: Arc<GatherSignal>,
    counts: Arc<WriterCounters>,
}

/// What is counted of the writing.
#[derive(Debug, Default)]
struct WriterCounters {
    unwritten: AtomicU64,
    commits: AtomicU64,
    changes: AtomicU64,
}

impl StoreWriter {
    /// Starts the task that writes. It ends when the last journal of it is dropped and everything is written, or when the
    /// database is away at that moment.
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
        let driven = writer.books.clone().drive(Box::pin(writer.run()));
        (Self { changes, records, gate, counts }, driven)
    }

    /// Has `change` carried out, and waits until it lasts.
    ///
    /// # Errors
    ///
    /// When the database is away, slow or full.
    pub async fn write(&self, change: Command) -> Result<CommandOutcome, StoreError> {
        let (asked, answer) = Waiter::here();
        let end = Instant::now() + WRITE_TIMEOUT;
        let handed_in = self.changes.try_send((change, Some(asked)));
        self.gate.came(self.waiting());
        if let Err(TrySendError::Full(item) | TrySendError::Closed(item)) = handed_in {
            let handed_in = timeout_at(end, self.changes.send(item)).await;
            let handed_in =
                handed_in.map_err(|_| StoreError::unavailable("too many wait for the database"))?;
            handed_in.map_err(|_| StoreError::unavailable("the journal is closed"))?;
        }
        match timeout_at(end, answer).await {
            Ok(told) => {
                told.unwrap_or(Err(StoreError::ambiguous("the journal ended over a batch")))
            }
            Err(_) => Err(StoreError::ambiguous("the database did not answer in time")),
        }
    }

    fn waiting(&self) -> usize {
        self.changes.max_capacity() - self.changes.capacity()
    }

    /// How many changes and records wait to be written, how many ends of calls could not be written yet, how many
    /// transactions were committed, and how many changes and records in them.
    #[must_use]
    pub fn stats(&self) -> (u64, u64, u64, u64) {
        let waiting = self.waiting();
        let recorded = self.records.max_capacity() - self.records.capacity();
        let WriterCounters { unwritten: owed, commits, changes } = &*self.counts;
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        ((waiting + recorded) as u64, read(owed), read(commits), read(changes))
    }

    /// Claims an idempotency key.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn claim(&self, claim: Claim) -> Result<ClaimOutcome, StoreError> {
        match self.write(Command::Claim(claim)).await? {
            CommandOutcome::Claim(claimed) => Ok(claimed),
            other => Err(unexpected(&other)),
        }
    }

    /// Sets money aside.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn hold(&self, hold: Hold) -> Result<HoldOutcome, StoreError> {
        match self.write(Command::Hold(hold)).await? {
            CommandOutcome::Hold(held) => Ok(held),
            other => Err(unexpected(&other)),
        }
    }

    /// Writes down how a call has ended. After an error it is tried again as long as the program runs.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.write(Command::Settle(Box::new(settlement))).await.map(drop)
    }

    /// Writes down how a call has ended, when nobody waits for that.
    pub fn settle_in_background(&self, settlement: Settlement) {
        let full = self.changes.try_send((Command::Settle(Box::new(settlement)), None));
        if let Err(TrySendError::Full(item)) = full {
            let changes = self.changes.clone();
            // As many as there were holds waiting, at the most. The journal never closes before its senders.
            tokio::spawn(async move { changes.send(item).await });
        }
    }

    /// Writes down a call that has neither money nor a key; nobody waits for it. When too many are waiting, because the
    /// database has been away for long, it is written into the log.
    pub fn record(&self, request: Box<RequestRecord>) {
        if let Err(full) = self.records.try_send(request) {
            log_lost_record(&full.into_inner(), "the database has been away for too long");
        }
    }
}

fn unexpected(outcome: &CommandOutcome) -> StoreError {
    StoreError::ambiguous(format!("the books answered something else: {outcome:?}"))
}

/// The task that writes.
struct WriterTask {
    books: Store,
    changes: mpsc::Receiver<QueuedCommand>,
    records: mpsc::Receiver<Box<RequestRecord>>,
    /// What must be written and for which nobody waits: records, and the ends of calls that could not be written at once.
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
                count = self.records.recv_many(&mut records, MAX_BATCH), if self.unwritten.is_empty() => count > 0,
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

    /// What cannot be written any more stands in the log, so that it is not lost without a word.
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

    /// Writes what waits and what is owed; false when the database is away.
    async fn batch(&mut self, waiting: &mut Vec<QueuedCommand>) -> bool {
        let (mut changes, asked): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        let told = asked.len();
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
            // One that cannot be written must not take the others down.
            Err(error) if changes.len() > 1 && error.is_refusal() => {
                one_by_one(&self.books, &changes).await
            }
            Err(error) => vec![Err(error); changes.len()],
        };
        let mut asked = asked.into_iter();
        let mut answers = OutcomeBatches::default();
        let mut is_there = true;
        for (change, outcome) in changes.into_iter().zip(outcomes) {
            let asked = asked.next().flatten();
            if let Err(error) = &outcome {
                is_there &= error.is_refusal();
                self.failed(&change, error);
            }
            if let Some(asked) = asked {
                answers.add(asked, outcome, change);
            }
        }
        self.gathering.committed(took, told, self.changes.len());
        answers.send();
        self.counts.unwritten.store(self.unwritten.len() as u64, Relaxed);
        is_there
    }

    /// The end of a call is owed until it is written. That it is there already is what a commit is refused for whose
    /// outcome was not known.
    fn failed(&mut self, change: &Command, error: &StoreError) {
        let Command::Settle(settlement) = change else { return };
        if !error.is_refusal() {
            self.unwritten.push(change.clone());
        } else if !error.is_duplicate() {
            log_lost_record(&settlement.request, error);
        }
    }
}

/// A record that cannot be written is in the log at least.
fn log_lost_record(request: &RequestRecord, why: impl fmt::Display) {
    let row = serde_json::to_string(request).unwrap_or_default();
    tracing::error!(row, %why, "a record that cannot be written: it stands here and nowhere else");
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
