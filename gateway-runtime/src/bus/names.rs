//! The names of exchanges and queues in the settings.

use std::fmt;

use crate::bus::{CallQueue, Message};

/// The problem of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NameError {
    /// The exchange has no name.
    EmptyExchange,
    /// The name of the exchange is too long.
    LongExchange(String),
    /// The queue has no name.
    EmptyQueue,
    /// The longest name beside the queue's is too long.
    LongQueue {
        /// The length with the suffix, in bytes.
        bytes: usize,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX: usize = Message::MAX_NAME_BYTES;

        match self {
            Self::EmptyExchange => f.write_str(
                "the name of the exchange is empty; the default exchange reaches every queue of \
                 the broker\n\
                 help: write the name of a dedicated exchange",
            ),
            Self::LongExchange(name) => write!(
                f,
                "the exchange `{name:.32}…` has a name of {} bytes\nhelp: use at most {MAX} bytes",
                name.len()
            ),
            Self::EmptyQueue => f.write_str(
                "`queue` is empty\nhelp: name the queue, or remove the key to use `gateway.calls`",
            ),
            Self::LongQueue { bytes } => write!(
                f,
                "`queue` is too long: with the suffix of its retry or dead-letter queue it has \
                 {bytes} bytes\n\
                 help: shorten it by {} bytes",
                bytes - MAX
            ),
        }
    }
}

impl std::error::Error for NameError {}

/// Checks the name of an exchange for messages of clients or events.
///
/// The default exchange, whose name is empty, routes each message to the queue that its routing key
/// names: a client that chooses the key would reach every queue of the broker.
pub(crate) fn check_exchange(name: &str) -> Result<(), NameError> {
    match name.len() {
        0 => Err(NameError::EmptyExchange),
        bytes if bytes > Message::MAX_NAME_BYTES => Err(NameError::LongExchange(name.to_owned())),
        _ => Ok(()),
    }
}

/// Checks the names of a call queue, its retry queues and its dead-letter queue.
pub(super) fn check_queue(queue: &CallQueue) -> Result<(), NameError> {
    if queue.name.is_empty() {
        return Err(NameError::EmptyQueue);
    }
    let retry_queues = queue.delays.iter().map(|delay| queue.retry_queue(*delay));
    let names = retry_queues.chain([queue.dead_letter_queue()]);
    match names.map(|name| name.len()).max() {
        Some(bytes) if bytes > Message::MAX_NAME_BYTES => Err(NameError::LongQueue { bytes }),
        _ => Ok(()),
    }
}
