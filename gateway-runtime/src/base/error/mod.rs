//! The error of a call: a stable code, a detail for the client, and a message for the log alone
//! (SEMANTICS §2).

mod boxed;
mod code;
mod source;

use std::{borrow::Cow, fmt, time::Duration};

pub use crate::base::error::code::Code;
pub(crate) use crate::base::error::source::Source;
use crate::{base::attempt::AttemptClass, json::violation::Violation};

/// The result of an exposed method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a call.
///
/// The client reads what is passed to [`Error::new`]. An error of another type that comes in
/// through `?` is for the log alone: the client reads `internal`. [`Error::with_log_message`] adds
/// to the log's side of any error.
pub struct Error(Box<Inner>);

/// The attempt at a provider that caused an error.
#[derive(Clone, Copy)]
struct FailedAttempt {
    class: AttemptClass,
    /// The HTTP status of the provider's response.
    status: Option<u16>,
}

struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    retryable: bool,
    retry_after: Option<Duration>,
    violations: Vec<Violation>,
    allow: Option<&'static str>,
    challenge: Option<&'static str>,
    accept_encoding: Option<&'static str>,
    attempt: Option<FailedAttempt>,
    internal: Option<String>,
}

impl Error {
    /// Creates an error whose `detail` the client may read.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            retryable: code.is_retryable(),
            retry_after: None,
            violations: Vec::new(),
            allow: None,
            challenge: None,
            accept_encoding: None,
            attempt: None,
            internal: None,
        }))
    }

    /// Creates an `invalid-request` error with every violation found.
    #[must_use]
    pub fn invalid(violations: Vec<Violation>) -> Self {
        let mut error = Self::new(
            Code::INVALID_REQUEST,
            "the input does not satisfy the schema of this method",
        );
        if violations.len() > Violation::MAX {
            error.0.detail =
                format!("{}; `errors` has the first {}", error.0.detail, Violation::MAX).into();
        }
        error.0.violations = violations;
        error
    }

    /// Creates a `not-found` error, for a resource that the caller requested.
    #[must_use]
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::NOT_FOUND, detail)
    }

    /// Creates an `internal` error. The log receives `message`; the client does not.
    #[must_use]
    pub fn internal(message: impl fmt::Display) -> Self {
        Self::new(Code::INTERNAL, "the gateway failed to execute the call")
            .with_log_message(message)
    }

    /// Sets the violations of the schema.
    #[must_use]
    pub(crate) fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.0.violations = violations;
        self
    }

    /// Adds `message` to the log's side of the error; the client never reads it.
    #[must_use]
    pub fn with_log_message(mut self, message: impl fmt::Display) -> Self {
        self.0.internal = Some(match self.0.internal.take() {
            Some(before) => format!("{before}: {message}"),
            None => message.to_string(),
        });
        self
    }

    /// Sets the delay after which sending the call again may help; becomes `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Overrides whether sending the call again can help.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Sets the HTTP methods of an address, for `method-not-allowed`; becomes `Allow`.
    #[must_use]
    pub fn with_allow(mut self, methods: &'static str) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// Sets the challenge: how a caller can authenticate, or what its credentials lack (RFC 9110
    /// §11.6.1). Becomes `WWW-Authenticate`.
    #[must_use]
    pub fn with_challenge(mut self, challenge: &'static str) -> Self {
        self.0.challenge = Some(challenge);
        self
    }

    /// Sets the content codings that a request may have (RFC 9110 §15.5.16); becomes
    /// `Accept-Encoding`.
    #[must_use]
    pub(crate) fn accept_encoding(mut self, codings: &'static str) -> Self {
        self.0.accept_encoding = Some(codings);
        self
    }

    /// Sets the class of the attempt at a provider that caused this error, and the HTTP status of
    /// the provider's reply.
    #[must_use]
    pub(crate) fn with_attempt(mut self, class: AttemptClass, status: Option<u16>) -> Self {
        self.0.attempt = Some(FailedAttempt { class, status });
        self
    }

    /// Returns the class of the attempt at a provider that caused this error.
    pub(crate) fn class(&self) -> Option<AttemptClass> {
        Some(self.0.attempt?.class)
    }

    /// Returns the HTTP status of the provider's reply that caused this error.
    pub(crate) fn provider_status(&self) -> Option<u16> {
        self.0.attempt?.status
    }

    /// Returns the code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Returns the detail, which the client reads.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// Returns the log's side of the error.
    #[must_use]
    pub fn log_message(&self) -> Option<&str> {
        self.0.internal.as_deref()
    }

    /// Returns whether sending the call again can help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Returns the delay after which sending the call again may help.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the HTTP methods of the address.
    #[must_use]
    pub fn allow(&self) -> Option<&'static str> {
        self.0.allow
    }

    /// Returns the challenge. Without one that was set, an `unauthenticated` error has `Bearer`,
    /// since a 401 must have at least one challenge (RFC 9110 §15.5.2).
    #[must_use]
    pub fn challenge(&self) -> Option<&'static str> {
        self.0.challenge.or((self.0.code == Code::UNAUTHENTICATED).then_some("Bearer"))
    }

    /// Returns the content codings that a request may have, if the request had another.
    pub(crate) fn accepted_encodings(&self) -> Option<&'static str> {
        self.0.accept_encoding
    }

    /// Returns the violations of the schema.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code.name())
            .field("detail", &self.0.detail)
            .field("internal", &self.0.internal)
            .finish_non_exhaustive()
    }
}

/// Writes what the client may read; the log's side is in [`Error::log_message`].
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.name(), self.0.detail)
    }
}

/// Turns any other error into an `internal` error, for the log alone. ([`Error`] does not implement
/// `std::error::Error` itself, as with `anyhow`, so that `?` works for every type.)
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::internal(with_causes(&error))
    }
}

/// Returns the message of an error and of its causes, without those that the message has already:
/// some errors repeat the text of their source.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        source = cause.source();
    }
    message
}
