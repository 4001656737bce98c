//! The resolver of instances that the configuration lists.

use tokio::sync::watch;

use crate::resolver::{Endpoint, Resolver, Snapshot};

/// The instances of one service, which change with the configuration alone.
#[derive(Debug)]
pub(crate) struct StaticEndpoints(watch::Sender<Snapshot>);

impl StaticEndpoints {
    /// Creates the resolver of these instances.
    pub(crate) fn new(endpoints: Vec<Endpoint>) -> Self {
        Self(watch::Sender::new(Snapshot::new(endpoints)))
    }
}

impl Resolver for StaticEndpoints {
    fn watch(&self, _service: &str) -> watch::Receiver<Snapshot> {
        self.0.subscribe()
    }
}
