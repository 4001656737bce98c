//! Attempt classes of failed HTTP exchanges: whether anything was sent.

use std::error::Error as _;

use crate::{base::error::with_causes, provider::ProviderError};

/// Classifies a failed exchange. It is `not-sent` if resolving, connecting or TLS failed; if the
/// request was never started on a connection that closed; or if HTTP/2 refused the stream (RFC 9113
/// §8.7) or was shutting down before it. Every other failure is `ambiguous`.
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
    /// Classifies a response that broke off: the request was sent, and executed.
    pub(super) fn from_body(error: reqwest::Error) -> Self {
        let is_timeout = error.is_timeout();
        let message = format!("the response was cut off: {}", error_chain(error));
        if is_timeout { Self::timed_out(message) } else { Self::ambiguous(message) }
    }
}

/// Returns whether the request was not even started: its connection closed before, or HTTP/2 says
/// so.
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

/// Returns whether the server refused the stream. A server that goes away names the streams that it
/// has started; h2 returns this error for later ones only.
fn is_refused_stream(error: &h2::Error) -> bool {
    let reason = error.reason();
    error.is_remote()
        && (error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM)
            || error.is_go_away() && reason == Some(h2::Reason::NO_ERROR))
}

/// Returns the message of an error and of its causes, without the URL, whose query may contain
/// keys.
pub(crate) fn error_chain(error: reqwest::Error) -> String {
    with_causes(&error.without_url())
}
