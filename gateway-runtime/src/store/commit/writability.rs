//! Whether the books can be written, as far as the last commits tell: readiness asks.

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

/// The time after a commit that failed in which nothing is tried: what is owed is written again five times a second, and a write
/// that is smaller may find room where that has none.
const RECENT_TIME: Duration = Duration::from_secs(1);

/// Why and when the last commit failed, if it did.
#[derive(Clone, Debug, Default)]
pub(super) struct Writing(Arc<Mutex<Option<(StoreError, Instant)>>>);

impl Writing {
    /// A commit has ended. One that the database refuses says that the database is well.
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
    /// Returns whether the books can be written. After a commit that failed that is tried: a gateway that is not ready
    /// has no calls that would.
    ///
    /// # Errors
    ///
    /// Why they cannot.
    pub async fn check_writing(&self) -> Result<(), StoreError> {
        let Some((failure, at)) = self.writing.failure() else { return Ok(()) };
        if at.elapsed() < RECENT_TIME {
            return Err(failure);
        }
        let (books, runtime) = (self.clone(), Handle::current());
        // SQLite waits for locks where it is called.
        let tried = tokio::task::spawn_blocking(move || runtime.block_on(books.write_something()));
        match tokio::time::timeout(COMMIT_TIMEOUT / 4, tried).await {
            Ok(Ok(written)) => written,
            Ok(Err(_)) | Err(_) => Err(failure),
        }
    }

    /// Why the books cannot be written, in a word: `full`, `locked` or `away`.
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
