//! The time limit of the store's work on a database.

use std::time::Duration;

use crate::store::StoreError;

/// The time limit of one batch; beyond it the database counts as unavailable.
pub(super) const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn within_limit<T>(
    work: impl Future<Output = Result<T, StoreError>>,
    late: fn(&'static str) -> StoreError,
) -> Result<T, StoreError> {
    match tokio::time::timeout(COMMIT_TIMEOUT, work).await {
        Ok(done) => done,
        Err(_) => Err(late("the database did not reply in time")),
    }
}
