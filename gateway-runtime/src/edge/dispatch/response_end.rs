//! The end of a response or a tunnel, and who caused it: `end` in the access log.

/// The end of a response, and who caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseEnd {
    /// All of the response was sent.
    Whole,
    /// The upstream cut the response, or was silent for too long.
    Upstream,
    /// The client disconnected, or broke off its request.
    Client,
    /// The gateway cut the response, since it shuts down.
    Gateway,
}

impl ResponseEnd {
    /// Returns the name of the end in the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Upstream => "upstream",
            Self::Client => "client",
            Self::Gateway => "gateway",
        }
    }
}
