//! The place of a request on a connection over HTTP/2, and the state that the requests of a
//! connection and its driver share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::uri::{Authority, Scheme};
use tokio::time::Instant;

use crate::edge::proxy::clock::AtomicTime;

/// The identity of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge::proxy) struct ConnectionId(u64);

/// The origin that requests name: `:scheme` and `:authority`.
pub(super) struct Origin {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
}

/// The state of a connection that its requests and its driver share.
pub(super) struct ConnectionStatus {
    /// The requests that have a place.
    streams: AtomicUsize,
    /// The time when the last request ended.
    idle_since: AtomicTime,
    /// The time of the first request since the instance has last sent anything; the epoch if there
    /// is none.
    waiting_since: AtomicTime,
    /// The driver has ended.
    has_ended: AtomicBool,
}

/// A place on a connection, given back when it is dropped.
pub(super) struct Place {
    pub(super) id: ConnectionId,
    pub(super) status: Arc<ConnectionStatus>,
}

impl ConnectionStatus {
    pub(super) fn new() -> Self {
        let status = Self {
            streams: AtomicUsize::new(0),
            idle_since: AtomicTime::default(),
            waiting_since: AtomicTime::default(),
            has_ended: AtomicBool::new(false),
        };
        status.idle_since.set_after(Duration::ZERO);
        status
    }

    pub(super) fn streams(&self) -> usize {
        self.streams.load(Relaxed)
    }

    /// Records that a request was sent.
    pub(super) fn sent(&self) {
        if self.waiting_since.is_clear() {
            self.waiting_since.set_after(Duration::ZERO);
        }
    }

    /// Records that the instance has sent something.
    pub(super) fn received(&self) {
        self.waiting_since.clear();
    }

    /// Returns the time since which requests wait for a sign of the instance; none if none does.
    pub(super) fn waiting_since(&self) -> Option<Instant> {
        (self.streams() > 0 && !self.waiting_since.is_clear()).then(|| self.waiting_since.get())
    }

    /// Returns the time when the last request ended.
    pub(super) fn idle_since(&self) -> Instant {
        self.idle_since.get()
    }

    /// Returns whether the driver has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Relaxed)
    }

    /// Records that the driver has ended.
    pub(super) fn end(&self) {
        self.has_ended.store(true, Relaxed);
    }
}

impl ConnectionId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

impl Place {
    pub(super) fn new(id: ConnectionId, status: Arc<ConnectionStatus>) -> Self {
        status.streams.fetch_add(1, Relaxed);
        Self { id, status }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.status.streams() == 1 {
            self.status.idle_since.set_after(Duration::ZERO);
        }
        self.status.streams.fetch_sub(1, Relaxed);
    }
}
