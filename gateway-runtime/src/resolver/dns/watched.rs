//! The services that are watched.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{runtime::Handle, sync::watch, task::JoinHandle};

use crate::resolver::{
    Snapshot,
    dns::{client::DnsClient, service::DnsService, task},
};

/// The services that are watched, with one task each, however many watch it.
pub(super) struct Watched {
    client: DnsClient,
    services: Mutex<HashMap<String, WatchedService>>,
}

struct WatchedService {
    snapshots: watch::Sender<Snapshot>,
    task: JoinHandle<()>,
}

impl Watched {
    /// Creates the table without any service.
    pub(super) fn new(client: DnsClient) -> Self {
        Self { client, services: Mutex::default() }
    }

    /// Returns the client that all tasks use.
    pub(super) fn client(&self) -> &DnsClient {
        &self.client
    }

    /// Watches a service: starts its task, if there is none that runs.
    pub(super) fn watch(
        self: &Arc<Self>,
        text: &str,
        service: DnsService,
    ) -> watch::Receiver<Snapshot> {
        let mut services = self.lock();
        // The runtime of a task may have ended.
        let running = services.get(text).filter(|watched| !watched.task.is_finished());
        if let Some(watched) = running {
            return watched.snapshots.subscribe();
        }
        let (snapshots, receiver) = watch::channel(Snapshot::unknown());
        if let Ok(runtime) = Handle::try_current() {
            let task = task::watch(self.clone(), text.to_owned(), service, snapshots.clone());
            let task = runtime.spawn(task);
            services.insert(text.to_owned(), WatchedService { snapshots, task });
        }
        receiver
    }

    /// Removes a service that nobody watches. Returns false if somebody does again.
    pub(super) fn remove(&self, text: &str) -> bool {
        let mut services = self.lock();
        let is_watched = services.get(text).is_some_and(|it| it.snapshots.receiver_count() > 0);
        if !is_watched {
            services.remove(text);
        }
        !is_watched
    }

    /// Returns the number of services that are watched.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, WatchedService>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
