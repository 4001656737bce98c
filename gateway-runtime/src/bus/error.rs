//! Why the bus did not do what it was asked for.

use std::{borrow::Cow, fmt};

/// What was in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BusErrorKind {
    /// There is no connection now; nothing was sent.
    Disconnected,
    /// The broker takes no messages now, since its memory or its disk is full; nothing was sent.
    Blocked,
    /// No queue gets what is sent there, or the exchange does not exist.
    Unroutable,
    /// The broker answered that it did not take the message over: a queue is full, say.
    Nacked,
    /// The message cannot be sent as it is: a name is too long, or it is larger than the broker takes.
    InvalidMessage,
    /// The broker did not confirm in time that it has the message.
    ConfirmTimeout,
    /// No answer came in time.
    ReplyTimeout,
    /// The connection or the channel was lost before an answer came.
    ChannelLost,
}

/// Why the bus did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusError {
    kind: BusErrorKind,
    detail: Cow<'static, str>,
}

impl BusError {
    /// A fault, told to operators.
    #[must_use]
    pub fn new(fault: BusErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: fault, detail: detail.into() }
    }

    /// What was in the way.
    #[must_use]
    pub fn kind(&self) -> BusErrorKind {
        self.kind
    }

    /// Whether somebody may have got the message all the same.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        matches!(
            self.kind,
            BusErrorKind::ConfirmTimeout | BusErrorKind::ReplyTimeout | BusErrorKind::ChannelLost
        )
    }
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for BusError {}
