//! Makes batches: what concurrent calls must have on disk is committed together.
//!
//! A commit takes about as long for one change as for a hundred, and most of that is waiting for the disk. So while one
//! batch is being committed the changes that come in meanwhile wait, and then go together: alone, a call waits for its own
//! commit and no longer; with others, they share one. Whoever writes waits for the outcome, so there are never more
//! changes waiting than calls in flight; the queue is bounded all the same.

use tokio::sync::{mpsc, oneshot};

use super::{Books, Change, Claim, Claimed, Held, Hold, Outcome, Settlement, StoreError};

/// The most changes in one transaction.
const BATCH: usize = 256;
/// The most that may wait; beyond it, writers wait to be let in.
const QUEUE: usize = 4096;

type Waiting = (Change, oneshot::Sender<Result<Outcome, StoreError>>);

/// Where calls hand in their changes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Journal(mpsc::Sender<Waiting>);

impl Journal {
    /// Starts the task that writes. It ends when the last journal of it is dropped and everything is written.
    #[must_use]
    pub fn start(books: Books) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(write(books, waiting));
        Self(queue)
    }

    /// Has `change` carried out, and waits until it lasts.
    ///
    /// # Errors
    ///
    /// When the database is away, slow or full.
    pub async fn write(&self, change: Change) -> Result<Outcome, StoreError> {
        let (tell, outcome) = oneshot::channel();
        self.0.send((change, tell)).await.map_err(|_| StoreError::away("the journal is closed"))?;
        outcome.await.map_err(|_| StoreError::uncertain("the journal ended over a batch"))?
    }

    /// Claims an idempotency key.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError> {
        match self.write(Change::Claim(claim)).await? {
            Outcome::Claim(claimed) => Ok(claimed),
            other => Err(unexpected(&other)),
        }
    }

    /// Sets money aside.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn hold(&self, hold: Hold) -> Result<Held, StoreError> {
        match self.write(Change::Hold(hold)).await? {
            Outcome::Hold(held) => Ok(held),
            other => Err(unexpected(&other)),
        }
    }

    /// Writes down how a call has ended.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub async fn settle(&self, settlement: Settlement) -> Result<(), StoreError> {
        self.write(Change::Settle(Box::new(settlement))).await.map(drop)
    }
}

fn unexpected(outcome: &Outcome) -> StoreError {
    StoreError::uncertain(format!("the books answered something else: {outcome:?}"))
}

async fn write(books: Books, mut queue: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::new();
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let (changes, tell): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        let outcomes = match books.commit(&changes).await {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            // One that cannot be written must not take the others down.
            Err(error) if changes.len() > 1 && error.is_refusal() => one_by_one(&books, &changes).await,
            Err(error) => vec![Err(error); changes.len()],
        };
        for (tell, outcome) in tell.into_iter().zip(outcomes) {
            // Whoever has gone away does not want to know; it lasts all the same.
            let _ = tell.send(outcome);
        }
    }
}

async fn one_by_one(books: &Books, changes: &[Change]) -> Vec<Result<Outcome, StoreError>> {
    let mut outcomes = Vec::with_capacity(changes.len());
    for change in changes {
        let outcome = books.commit(std::slice::from_ref(change)).await;
        outcomes.push(outcome.and_then(|mut one| one.pop().ok_or(StoreError::uncertain("the books gave no outcome"))));
    }
    outcomes
}
