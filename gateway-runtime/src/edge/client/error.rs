//! Why a call through a typed client failed: what the service says of it, or how far the call got.

use std::{fmt, time::Duration};

use serde::Deserialize;

use crate::{base::attempt::AttemptClass, json::violation::Violation, provider::ProviderError};

/// Why a call failed.
///
/// What matters to a caller is whether the method may have run: [`NotSent`](Self::NotSent) and
/// [`Unsendable`](Self::Unsendable) say that it did not, [`TimedOut`](Self::TimedOut) and
/// [`Ambiguous`](Self::Ambiguous) that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The service answered, and this is its problem.
    Problem(Box<Problem>),
    /// The call cannot be sent as it is: a header that is none, an input that cannot be written.
    InvalidRequest(String),
    /// Nothing reached the service: name resolution, connecting or the TLS handshake failed.
    NotSent(String),
    /// The call was sent, or may have been, and the answer did not come in this time.
    TimedOut(Duration),
    /// The call was sent, and no answer came, or not all of it: the connection was cut.
    Ambiguous(String),
    /// An answer came that is none of this service's: another type, or an error of something on the way.
    InvalidResponse {
        /// The HTTP status.
        status: Option<u16>,
        /// What is wrong with it.
        why: String,
    },
}

/// A problem of the service's (RFC 9457).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// The stable name of the kind of failure, such as `quota-exceeded`.
    pub code: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// The kind of failure for people.
    #[serde(default)]
    pub title: String,
    /// What happened here.
    #[serde(default)]
    pub detail: String,
    /// Whether sending the call again can help.
    #[serde(default)]
    pub retryable: bool,
    /// The call's name in the service's log.
    #[serde(default)]
    pub request_id: Option<String>,
    /// The ways in which the input contradicts the schema.
    #[serde(default)]
    pub errors: Vec<Violation>,
    /// After which time sending the call again may help.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl ClientError {
    pub(super) fn unreadable(why: impl Into<String>) -> Self {
        Self::InvalidResponse { status: None, why: why.into() }
    }

    /// The problem that the service answered with.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// The code of the problem that the service answered with.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.problem().map(|problem| problem.code.as_str())
    }

    /// Whether sending the call again can help and does no harm. A problem says so itself.
    ///
    /// A call without an answer may have been carried out, so this is false; a call that only reads, or has an
    /// idempotency key, may be sent again all the same.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Problem(problem) => problem.retryable,
            Self::NotSent(_) => true,
            Self::InvalidRequest(_)
            | Self::TimedOut(_)
            | Self::Ambiguous(_)
            | Self::InvalidResponse { .. } => false,
        }
    }

    /// After which time sending the call again may help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.problem()?.retry_after
    }

    /// What the failure says of the attempt, for a gateway to which this service is a provider.
    #[must_use]
    pub fn class(&self) -> AttemptClass {
        match self {
            Self::Problem(problem) => problem.class(),
            Self::InvalidRequest(_) => AttemptClass::Invalid,
            Self::NotSent(_) => AttemptClass::NotSent,
            Self::InvalidResponse { status: Some(401..=403 | 429), .. } => AttemptClass::Rejected,
            Self::InvalidResponse { status: Some(400..=499), .. } => AttemptClass::Invalid,
            Self::TimedOut(_) | Self::Ambiguous(_) | Self::InvalidResponse { .. } => {
                AttemptClass::Ambiguous
            }
        }
    }
}

impl Problem {
    /// Refusals have done nothing, whatever their status: the gateway says so by their codes.
    fn class(&self) -> AttemptClass {
        match (self.code.as_str(), self.status) {
            ("no-provider" | "unroutable" | "overloaded", _) | (_, 401..=403 | 429) => {
                AttemptClass::Rejected
            }
            // The call that holds the key may be under way, or done.
            ("idempotency-conflict", _) => AttemptClass::Ambiguous,
            (_, 400..=499) => AttemptClass::Invalid,
            _ => AttemptClass::Ambiguous,
        }
    }
}

/// To a gateway whose provider this service is.
impl From<ClientError> for ProviderError {
    fn from(error: ClientError) -> Self {
        let message = error.to_string();
        match &error {
            ClientError::Problem(problem) => {
                let failed =
                    Self::from_status(problem.status).with_class(error.class()).log(message);
                problem.retry_after.into_iter().fold(failed, Self::retry_after)
            }
            ClientError::InvalidRequest(_) => Self::invalid(message),
            ClientError::NotSent(_) => Self::not_sent(message),
            ClientError::TimedOut(_) => Self::timed_out(message),
            ClientError::Ambiguous(_) | ClientError::InvalidResponse { status: None, .. } => {
                Self::ambiguous(message)
            }
            ClientError::InvalidResponse { status: Some(status), .. } => {
                Self::from_status(*status).with_class(error.class()).log(message)
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.code, self.status, self.detail)?;
        for Violation { pointer, detail } in &self.errors {
            write!(f, "; {pointer} {detail}")?;
        }
        Ok(())
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => problem.fmt(f),
            Self::InvalidRequest(why) => write!(f, "the call cannot be sent: {why}"),
            Self::NotSent(why) => write!(f, "the call did not reach the service: {why}"),
            Self::TimedOut(time) => {
                write!(f, "the call was sent, and has no answer within {time:?}")
            }
            Self::Ambiguous(why) => write!(f, "the call was sent, and has no answer: {why}"),
            Self::InvalidResponse { status: Some(status), why } => {
                write!(f, "unreadable answer ({status}): {why}")
            }
            Self::InvalidResponse { status: None, why } => write!(f, "unreadable answer: {why}"),
        }
    }
}

impl std::error::Error for ClientError {}
