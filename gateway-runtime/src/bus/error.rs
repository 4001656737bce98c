//! Errors of the bus.

use std::{borrow::Cow, fmt};

use crate::base::error::Source;

/// The kind of a bus error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BusErrorKind {
    /// Disconnected now; nothing was sent.
    Disconnected,
    /// The broker blocks publishing, since its memory or its disk is full; nothing was sent.
    Blocked,
    /// Unroutable: no queue is bound for the message, or the exchange does not exist.
    Unroutable,
    /// The broker nacked the message: a queue is full, for example.
    Nacked,
    /// The message cannot be sent as it is: a name is too long, or it is larger than the broker
    /// accepts.
    InvalidMessage,
    /// The broker did not confirm the message in time.
    ConfirmTimeout,
    /// The time limit ended without a reply.
    ReplyTimeout,
    /// The connection or the channel was lost before a reply arrived.
    ChannelLost,
}

/// An error of the bus; its text is for operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BusError {
    kind: BusErrorKind,
    detail: Cow<'static, str>,
    source: Source,
}

impl BusError {
    /// Creates an error with a text for operators.
    #[must_use]
    pub fn new(fault: BusErrorKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: fault, detail: detail.into(), source: Source::default() }
    }

    /// Returns the error with a library's error as its source. The text has that error's already.
    #[cfg(feature = "amqp")]
    pub(in crate::bus) fn with_source(
        self,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { source: Source::new(error), ..self }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> BusErrorKind {
        self.kind
    }

    /// Returns whether the outcome is ambiguous: a consumer may have received the message all the
    /// same (SEMANTICS §3).
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
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

impl std::error::Error for BusError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.get()
    }
}

#[cfg(test)]
#[cfg(feature = "amqp")]
mod tests {
    use super::*;
    use crate::base::error::with_causes;

    #[test]
    fn an_error_of_ours_has_the_error_of_the_library_as_its_source() {
        let lost = BusError::new(BusErrorKind::ChannelLost, "lost: reset by peer");
        assert!(std::error::Error::source(&lost).is_none());
        let caused = lost.clone().with_source(std::io::Error::other("reset by peer"));
        let source = std::error::Error::source(&caused).unwrap();
        assert!(source.downcast_ref::<std::io::Error>().is_some());
        assert_eq!(caused, lost);
        assert_eq!(with_causes(&caused), "lost: reset by peer");
    }
}
