//! The slots of a server's open connections.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// The slots of a server's open connections. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionSlots {
    slots: Arc<Semaphore>,
    limit: u32,
}

impl ConnectionSlots {
    /// Creates `limit` slots, all free.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = u32::try_from(limit.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self { slots: Arc::new(Semaphore::new(limit as usize)), limit }
    }

    /// Returns the slots; a connection holds one permit of them for as long as it is open.
    pub(crate) fn semaphore(&self) -> &Arc<Semaphore> {
        &self.slots
    }

    /// Returns the number of slots, free or not.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns the number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.limit as usize - self.slots.available_permits()
    }
}
