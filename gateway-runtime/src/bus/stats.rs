//! Counters of a broker, for `/metrics`.

/// The counters of a broker since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokerStats {
    /// The number of messages that the broker confirmed.
    pub published: u64,
    /// The number of calls that received a reply.
    pub replied: u64,
    /// The number of calls that wait for a reply now.
    pub pending: u64,
    /// The number of late replies: the call no longer waited.
    pub late_replies: u64,
    /// The number of duplicate replies to calls that had a reply.
    pub duplicate: u64,
    /// The number of replies with an unknown correlation id.
    pub unknown: u64,
    /// The number of received messages.
    pub received: u64,
    /// The number of lost connections.
    pub connections_lost: u64,
}
