//! Notes of a call that are written before anything is sent to a provider.

use futures_util::future::BoxFuture;

use crate::base::error::Error;

/// What writes down which provider is about to be asked, so that a crash leaves nothing that cannot be attributed.
pub(crate) trait Witness: Send + Sync {
    /// Writes it down, and waits until it lasts.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    fn about_to_ask(&self, provider: &'static str) -> BoxFuture<'_, Result<(), Error>>;
}
