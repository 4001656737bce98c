//! The durable note of the provider that a call is about to use, written before anything is sent.

use futures_util::future::BoxFuture;

use crate::base::error::Error;

/// A writer of that note. SEMANTICS §7: a hold names "under `once`, the provider about to be asked,
/// so that a crash leaves nothing that cannot be attributed".
pub(crate) trait Witness: Send + Sync {
    /// Writes the note, and waits until it is durable.
    ///
    /// # Errors
    ///
    /// Returns an error if the note cannot be written.
    fn about_to_ask(&self, provider: &'static str) -> BoxFuture<'_, Result<(), Error>>;
}
