//! What a broker has done until now, for `/metrics`.

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokerStats {
    /// Messages that the broker took over.
    pub published: u64,
    /// Calls that were answered.
    pub replied: u64,
    /// Calls that wait for their answer now.
    pub pending: u64,
    /// Answers to calls that nobody waited for any more.
    pub late_replies: u64,
    /// Second answers to calls that were answered.
    pub duplicate: u64,
    /// Answers to what was never asked.
    pub unknown: u64,
    /// Messages received.
    pub received: u64,
    /// How often a connection was lost.
    pub connections_lost: u64,
}
