//! The store's part of readiness: the last failed commit.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::store::StoreError;

/// The time after a failed commit in which no write is attempted. Unwritten settlements are retried
/// five times a second, and a smaller write may find room where they have none.
pub(super) const RECENT_TIME: Duration = Duration::from_secs(1);

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

    pub(super) fn failure(&self) -> Option<(StoreError, Instant)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
