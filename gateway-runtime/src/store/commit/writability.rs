//! The store's part of readiness: the last failed commit, and an attempt to write after it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::runtime::Handle;

use crate::store::{
    StoreError,
    commit::{COMMIT_TIMEOUT, Store, in_time},
    sql::statements::WRITE_SOMETHING,
};

/// The time after a failed commit in which no write is attempted. Unwritten settlements are retried
/// five times a second, and a smaller write may find room where they have none.
const RECENT_TIME: Duration = Duration::from_secs(1);

/// The error and the time of the last commit, if it failed.
#[derive(Clone, Debug, Default)]
pub(super) struct Writing(Arc<Mutex<Option<(StoreError, Instant)>>>);

impl Writing {
    /// Records the result of a commit. A rejected commit counts as a success: the database works.
    pub(super) fn ended<T>(&self, commit: &Result<T, StoreError>) {
        let failure = commit.as_ref().err().filter(|error| !error.is_refusal());
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some() || failure.is_some() {
            *last = failure.cloned().map(|failure| (failure, Instant::now()));
        }
    }

    fn failure(&self) -> Option<(StoreError, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store {
    /// Checks whether the store can be written. After a failed commit this attempts a write, since
    /// a gateway that is not ready receives no calls that would.
    ///
    /// # Errors
    ///
    /// Fails with the cause if the store cannot be written.
    pub async fn check_writing(&self) -> Result<(), StoreError> {
        let Some((failure, at)) = self.writing.failure() else { return Ok(()) };
        if at.elapsed() < RECENT_TIME {
            return Err(failure);
        }
        let (books, runtime) = (self.clone(), Handle::current());
        // SQLite blocks the calling thread while it waits for a lock.
        let tried = tokio::task::spawn_blocking(move || runtime.block_on(books.write_something()));
        match tokio::time::timeout(COMMIT_TIMEOUT / 4, tried).await {
            Ok(Ok(written)) => written,
            Ok(Err(_)) | Err(_) => Err(failure),
        }
    }

    /// Returns in one word why the store cannot be written: `full`, `locked` or `away`.
    pub(crate) fn writing_trouble(&self) -> &'static str {
        self.writing.failure().map_or("away", |(failure, _)| failure.word())
    }

    async fn write_something(&self) -> Result<(), StoreError> {
        let work = async {
            let mut transaction = self.database.begin().await?;
            transaction.run(&WRITE_SOMETHING, "[0]").await?;
            transaction.commit().await
        };
        let written = in_time(work, StoreError::unavailable).await;
        self.writing.ended(&written);
        written
    }
}
