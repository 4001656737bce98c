//! What a failed exchange says of the attempt: was anything sent?

use std::error::Error as _;

use crate::{base::error::with_causes, provider::ProviderError};

/// Not sent: resolving, connecting and TLS failed; the request was never begun on a connection that closed; HTTP/2
/// refused the stream (RFC 9113 §8.7) or was shutting down before it. Everything else is ambiguous.
impl From<reqwest::Error> for ProviderError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_connect() || error.is_builder() || is_not_sent(&error) {
            Self::not_sent(error_chain(error))
        } else if error.is_timeout() {
            Self::timed_out(error_chain(error))
        } else {
            Self::ambiguous(error_chain(error))
        }
    }
}

impl ProviderError {
    /// What broke off an answer: it was sent, and done.
    pub(super) fn from_body(error: reqwest::Error) -> Self {
        let is_timeout = error.is_timeout();
        let message = format!("the answer was cut: {}", error_chain(error));
        if is_timeout { Self::timed_out(message) } else { Self::ambiguous(message) }
    }
}

/// Whether the request was not even begun with: its connection closed before, or HTTP/2 says so.
pub(crate) fn is_not_sent(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled)
            || cause.downcast_ref::<h2::Error>().is_some_and(is_refused_stream)
        {
            return true;
        }
        source = cause.source();
    }
    false
}

/// A server that goes away says which streams it has begun with; h2 gives this error to those after them alone.
fn is_refused_stream(error: &h2::Error) -> bool {
    let reason = error.reason();
    error.is_remote()
        && (error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM)
            || error.is_go_away() && reason == Some(h2::Reason::NO_ERROR))
}

/// The message of an error and of all that caused it, without the address, whose query may hold keys.
pub(crate) fn error_chain(error: reqwest::Error) -> String {
    with_causes(&error.without_url())
}
