//! The options of the bus consumer.

use std::{sync::Arc, time::Duration};

use crate::bus::CallsStatus;

/// Options of the bus consumer.
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    /// The timeout of a call whose method declares none.
    pub timeout: Duration,
    /// Whether a `message_id` prevents a second execution of a call.
    pub honours_keys: bool,
    /// The number of threads that execute calls. Each starts with the first call that finds the
    /// others busy.
    pub workers: usize,
    /// The counters of calls.
    pub status: Arc<CallsStatus>,
}
