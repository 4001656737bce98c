//! The end of a server's task: its drain, or the reason why it failed.

use std::io;

use tokio::task::JoinError;

use crate::{base::start_error::StartError, edge::http::DrainOutcome};

/// Returns the outcome of the drain.
///
/// # Errors
///
/// Returns an error if the server failed or its task panicked.
pub(super) fn ended(
    served: Result<io::Result<DrainOutcome>, JoinError>,
) -> Result<DrainOutcome, StartError> {
    served
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| StartError::new(format!("the server failed: {error}")))
}
