//! Errors of a typed client: the problem of the service, or how far the call got.

use std::{fmt, time::Duration};

use serde::Deserialize;

use crate::{base::attempt::AttemptClass, json::violation::Violation, provider::ProviderError};

/// The error of a call.
///
/// The variants differ in whether the method may have been executed: after
/// [`NotSent`](Self::NotSent) and [`InvalidRequest`](Self::InvalidRequest) it was not, after
/// [`TimedOut`](Self::TimedOut) and [`Ambiguous`](Self::Ambiguous) the outcome is unknown.
///
/// ```
/// use std::time::Duration;
///
/// use gateway_runtime::client::{ClientError, Problem};
///
/// /// Returns the time after which the same call should be sent again, if it should.
/// fn pause(error: &ClientError) -> Option<Duration> {
///     let second = Duration::from_secs(1);
///     error.is_retryable().then(|| error.retry_after().unwrap_or(second))
/// }
///
/// // The method may have been executed.
/// assert_eq!(pause(&ClientError::TimedOut(Duration::from_secs(30))), None);
///
/// // A problem states it itself. A test creates one from JSON.
/// let json = r#"{"code": "quota-exceeded", "status": 429, "retryable": true}"#;
/// let problem: Problem = serde_json::from_str(json)?;
/// let error = ClientError::Problem(Box::new(problem));
/// assert_eq!(error.code(), Some("quota-exceeded"));
/// assert_eq!(pause(&error), Some(Duration::from_secs(1)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The problem that the service returned.
    Problem(Box<Problem>),
    /// The call cannot be sent as it is: a header is malformed, or the input cannot be serialized.
    InvalidRequest(String),
    /// Nothing reached the service: name resolution, connecting or the TLS handshake failed.
    NotSent(String),
    /// The call was sent, or may have been, and no reply arrived within this time.
    TimedOut(Duration),
    /// The call was sent, and no reply arrived, or only a part of it: the connection was lost.
    Ambiguous(String),
    /// The response is not one of this service: it has another type, or is an error of an
    /// intermediary.
    InvalidResponse {
        /// The HTTP status.
        status: Option<u16>,
        /// The reason why the response is invalid.
        why: String,
    },
}

/// A problem of the service (RFC 9457).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// The stable name of the kind of failure, such as `quota-exceeded`.
    pub code: String,
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// The kind of failure, as text.
    #[serde(default)]
    pub title: String,
    /// The explanation of this failure.
    #[serde(default)]
    pub detail: String,
    /// Whether the call is worth sending again.
    #[serde(default)]
    pub retryable: bool,
    /// The request id in the log of the service.
    #[serde(default)]
    pub request_id: Option<String>,
    /// The violations of the schema in the input.
    #[serde(default)]
    pub errors: Vec<Violation>,
    /// The time after which a retry may succeed.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl ClientError {
    /// Creates the error of a call that cannot be sent as it is.
    pub(super) fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidRequest(reason.into())
    }

    pub(super) fn unreadable(why: impl Into<String>) -> Self {
        Self::InvalidResponse { status: None, why: why.into() }
    }

    /// Returns the problem of the service, if it returned one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Returns the code of the problem, if the service returned one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.problem().map(|problem| problem.code.as_str())
    }

    /// Returns whether a retry may succeed and has no further effect. A problem states it itself.
    ///
    /// False for a call without a reply, which may have been executed. A call of effect `read`, or
    /// with an idempotency key, may be sent again all the same.
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

    /// Returns the time after which a retry may succeed.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.problem()?.retry_after
    }

    /// Returns the attempt class, for a gateway that uses this service as a provider (SEMANTICS
    /// §3).
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
    /// Returns the attempt class. The codes of refusals mean that nothing was executed, whatever
    /// the status.
    fn class(&self) -> AttemptClass {
        match (self.code.as_str(), self.status) {
            ("no-provider" | "unroutable" | "overloaded", _) | (_, 401..=403 | 429) => {
                AttemptClass::Rejected
            }
            // The call with the key may be in progress, or executed.
            ("idempotency-conflict", _) => AttemptClass::Ambiguous,
            (_, 400..=499) => AttemptClass::Invalid,
            _ => AttemptClass::Ambiguous,
        }
    }
}

/// Converts the error for a gateway that uses this service as a provider.
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
                write!(f, "the call was sent, and no reply came within {time:?}")
            }
            Self::Ambiguous(why) => write!(f, "the call was sent, and no reply came: {why}"),
            Self::InvalidResponse { status: Some(status), why } => {
                write!(f, "invalid response ({status}): {why}")
            }
            Self::InvalidResponse { status: None, why } => write!(f, "invalid response: {why}"),
        }
    }
}

impl std::error::Error for ClientError {}
