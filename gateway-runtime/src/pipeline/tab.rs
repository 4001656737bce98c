//! What stages note of a call for its record: who claimed a key does not give it up, the record does when the call has
//! ended, together with everything else.

use std::sync::{Arc, OnceLock};

use crate::store::ClaimKey;

/// The idempotency key that a call claimed, and the fence by which it holds it.
pub(super) type Held = (ClaimKey, Arc<str>);

/// Where they are noted; nowhere when calls are not recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct Tab(Option<Arc<OnceLock<Held>>>);

impl Tab {
    /// One that keeps what is noted.
    pub(super) fn kept() -> Self {
        Self(Some(Arc::default()))
    }

    /// Notes the key that the call has claimed.
    pub(super) fn claimed(&self, held: Held) {
        if let Some(notes) = &self.0 {
            // A call has one key.
            let _ = notes.set(held);
        }
    }

    /// The key that the call has claimed.
    pub(super) fn claim(&self) -> Option<Held> {
        self.0.as_ref()?.get().cloned()
    }
}
