//! The instances of a service at one time.

use std::sync::Arc;

use crate::resolver::Endpoint;

/// The instances of a service, as a resolver last knew them. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// None before the first answer.
    endpoints: Option<Arc<[Endpoint]>>,
}

impl Snapshot {
    /// Creates a snapshot of these instances, of which there may be none.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        Self { endpoints: Some(endpoints.into_iter().collect()) }
    }

    /// Creates the snapshot of a service that the resolver knows nothing of yet. Requests wait for
    /// the first answer.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Returns whether the resolver has answered.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.endpoints.is_some()
    }

    /// Returns the instances.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        self.endpoints.as_deref().unwrap_or_default()
    }
}
