//! An upstream with the tasks that follow its instances and check them.

use std::sync::{Arc, Weak};

use tokio::{runtime::Handle, sync::watch, task::JoinSet};

use crate::{
    edge::proxy::{health_check, terms::Terms, upstream::Upstream},
    resolver::{Resolver, Snapshot},
};

/// An upstream whose instances are followed until this is dropped.
#[derive(Debug)]
pub(super) struct WatchedUpstream {
    pub(super) upstream: Arc<Upstream>,
    _tasks: JoinSet<()>,
}

impl WatchedUpstream {
    /// Creates an upstream of the instances that the resolver finds. It takes over those that the
    /// previous upstream of its name has too.
    pub(super) fn new(
        name: &str,
        terms: Terms,
        resolver: &dyn Resolver,
        service: &str,
        previous: Option<&Self>,
    ) -> Self {
        let mut snapshots = resolver.watch(service);
        let snapshot = snapshots.borrow_and_update().clone();
        let check = terms.settings.check.clone();
        let previous = previous.map(|it| &*it.upstream);
        let upstream = Arc::new(Upstream::new(name, terms, &snapshot, previous));
        let mut tasks = JoinSet::new();
        // A configuration that is only validated has no runtime, and needs no tasks.
        if let Ok(runtime) = Handle::try_current() {
            tasks.spawn_on(follow(Arc::downgrade(&upstream), snapshots), &runtime);
            if let Some(check) = check {
                let checks = health_check::run(Arc::downgrade(&upstream), check);
                tasks.spawn_on(checks, &runtime);
            }
        }
        Self { upstream, _tasks: tasks }
    }
}

/// Applies each snapshot of an upstream until the upstream is dropped, or the resolver.
async fn follow(upstream: Weak<Upstream>, mut snapshots: watch::Receiver<Snapshot>) {
    while snapshots.changed().await.is_ok() {
        let Some(upstream) = upstream.upgrade() else { return };
        let snapshot = snapshots.borrow_and_update().clone();
        upstream.apply(&snapshot);
        let (upstream, instances) = (upstream.name(), snapshot.endpoints().len());
        tracing::info!(upstream, instances, "the instances of an upstream have changed");
    }
}
