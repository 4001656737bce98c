//! The queue of the store writer, and its counters.

use std::sync::atomic::AtomicU64;

use crate::store::{Command, writer::replies::Waiter};

/// A command, and the waiter for its outcome if there is one.
pub(super) struct QueuedCommand {
    pub(super) command: Command,
    pub(super) waiter: Option<Waiter>,
}

/// The counters of the store writer.
#[derive(Debug, Default)]
pub(super) struct WriterCounters {
    pub(super) unwritten: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) commands: AtomicU64,
}

/// The counters of the store writer at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// The number of queued commands and records.
    pub queued: u64,
    /// The number of unwritten settlements.
    pub unwritten: u64,
    /// The number of committed transactions.
    pub commits: u64,
    /// The number of commands and records in those transactions.
    pub commands: u64,
}
