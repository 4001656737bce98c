//! Why the bus did not do what it was asked for.

use std::{borrow::Cow, fmt};

/// What was in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// There is no connection now; nothing was sent.
    Away,
    /// The broker takes no messages now, since its memory or its disk is full; nothing was sent.
    Blocked,
    /// No queue gets what is sent there, or the exchange does not exist.
    Unroutable,
    /// The broker answered that it did not take the message over: a queue is full, say.
    Refused,
    /// The message cannot be sent as it is: a name is too long, or it is larger than the broker takes.
    Unfit,
    /// The broker did not confirm in time that it has the message.
    Unconfirmed,
    /// No answer came in time.
    Unanswered,
    /// The connection or the channel was lost before an answer came.
    Lost,
}

/// Why the bus did not do what it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusError {
    fault: Fault,
    detail: Cow<'static, str>,
}

impl BusError {
    /// A fault, told to operators.
    #[must_use]
    pub fn new(fault: Fault, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { fault, detail: detail.into() }
    }

    /// What was in the way.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// Whether somebody may have got the message all the same.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        matches!(self.fault, Fault::Unconfirmed | Fault::Unanswered | Fault::Lost)
    }
}

impl fmt::Display for BusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for BusError {}
