//! The error of a call: a stable code, a detail for the client, and a message for the log alone
//! (SEMANTICS §2).

use std::{borrow::Cow, fmt, time::Duration};

use crate::{base::attempt::AttemptClass, json::violation::Violation};

/// The result of an exposed method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A kind of failure: its stable name, its HTTP status, and whether sending the same call again can
/// help.
///
/// Authors may define their own beside the ones here:
///
/// ```
/// use gateway_runtime::{Code, Error};
///
/// const SOLD_OUT: Code = Code::new("sold-out", 409, "Sold out");
/// let error = Error::new(SOLD_OUT, "the last seat went a minute ago");
/// assert_eq!(error.code().status(), 409);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    name: &'static str,
    status: u16,
    title: &'static str,
    retryable: bool,
}

impl Code {
    /// 400: the call violates the schema, or cannot be parsed.
    pub const INVALID_REQUEST: Self = Self::new("invalid-request", 400, "Invalid request");
    /// 401: the caller is not authenticated.
    pub const UNAUTHENTICATED: Self = Self::new("unauthenticated", 401, "Unauthenticated");
    /// 402: the account has too little money for the call.
    pub const INSUFFICIENT_FUNDS: Self = Self::new("insufficient-funds", 402, "Insufficient funds");
    /// 403: the caller is authenticated, and is not allowed to make the call.
    pub const FORBIDDEN: Self = Self::new("forbidden", 403, "Forbidden");
    /// 404: the resource does not exist.
    pub const NOT_FOUND: Self = Self::new("not-found", 404, "Not found");
    /// 405: the address exists, with other HTTP methods.
    pub const METHOD_NOT_ALLOWED: Self = Self::new("method-not-allowed", 405, "Method not allowed");
    /// 406: no media type that `Accept` allows is available.
    pub const NOT_ACCEPTABLE: Self = Self::new("not-acceptable", 406, "Not acceptable");
    /// 408: the request's body did not arrive in time.
    pub const REQUEST_TIMEOUT: Self =
        Self::new("request-timeout", 408, "Request timeout").retryable();
    /// 409: a call with the same idempotency key is in progress.
    pub const IDEMPOTENCY_CONFLICT: Self =
        Self::new("idempotency-conflict", 409, "Idempotency conflict").retryable();
    /// 413: the body is longer than the limit.
    pub const PAYLOAD_TOO_LARGE: Self = Self::new("payload-too-large", 413, "Payload too large");
    /// 415: the method does not accept the body's media type.
    pub const UNSUPPORTED_MEDIA_TYPE: Self =
        Self::new("unsupported-media-type", 415, "Unsupported media type");
    /// 422: the idempotency key was used with another request.
    pub const IDEMPOTENCY_MISMATCH: Self =
        Self::new("idempotency-mismatch", 422, "Idempotency mismatch");
    /// 429: a quota of the caller is exceeded.
    pub const QUOTA_EXCEEDED: Self = Self::new("quota-exceeded", 429, "Quota exceeded").retryable();
    /// 500: the gateway itself failed.
    pub const INTERNAL: Self = Self::new("internal", 500, "Internal error");
    /// 502: a provider replied with a failure.
    pub const PROVIDER_FAILED: Self = Self::new("provider-failed", 502, "Provider failed");
    /// 503: no provider is available.
    pub const NO_PROVIDER: Self = Self::new("no-provider", 503, "No provider").retryable();
    /// 503: no queue is bound to the message's routing key.
    pub const UNROUTABLE: Self = Self::new("unroutable", 503, "Unroutable").retryable();
    /// 503: the gateway is at one of its limits, or shutting down.
    pub const OVERLOADED: Self = Self::new("overloaded", 503, "Overloaded").retryable();
    /// 504: the deadline was exceeded, and nothing was executed.
    pub const TIMEOUT: Self = Self::new("timeout", 504, "Timeout").retryable();
    /// 504: a call that must be executed once may have been executed; only checking can tell.
    pub const OUTCOME_UNKNOWN: Self = Self::new("outcome-unknown", 504, "Outcome unknown");

    /// Number of codes in [`ALL`](Self::ALL). It is a constant of its own, since a type whose
    /// length evaluates `ALL` makes the compiler loop in optimised builds.
    pub(crate) const COUNT: usize = 20;

    /// The gateway's own codes, by status.
    pub const ALL: [Self; Self::COUNT] = [
        Self::INVALID_REQUEST,
        Self::UNAUTHENTICATED,
        Self::INSUFFICIENT_FUNDS,
        Self::FORBIDDEN,
        Self::NOT_FOUND,
        Self::METHOD_NOT_ALLOWED,
        Self::NOT_ACCEPTABLE,
        Self::REQUEST_TIMEOUT,
        Self::IDEMPOTENCY_CONFLICT,
        Self::PAYLOAD_TOO_LARGE,
        Self::UNSUPPORTED_MEDIA_TYPE,
        Self::IDEMPOTENCY_MISMATCH,
        Self::QUOTA_EXCEEDED,
        Self::INTERNAL,
        Self::PROVIDER_FAILED,
        Self::NO_PROVIDER,
        Self::UNROUTABLE,
        Self::OVERLOADED,
        Self::TIMEOUT,
        Self::OUTCOME_UNKNOWN,
    ];

    /// Creates a code of an author's own. `name` is kebab-case and never changes; `status` is an
    /// HTTP status from 400 to 599.
    ///
    /// # Panics
    ///
    /// Panics if `status` is out of that range; in a `const` that is a compile error.
    #[must_use]
    pub const fn new(name: &'static str, status: u16, title: &'static str) -> Self {
        assert!(status >= 400 && status <= 599, "the status of an error is from 400 to 599");
        Self { name, status, title, retryable: false }
    }

    /// Marks the code as retryable: sending the call again can help.
    #[must_use]
    pub const fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// Returns the stable name, such as `quota-exceeded`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Returns the HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.status
    }

    /// Returns the title for people, the same for every failure with this code.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.title
    }

    /// Returns whether sending the call again can help. An [`Error`] may override it.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        self.retryable
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The error of a call.
///
/// The client reads what is passed to [`Error::new`]. An error of another type that comes in
/// through `?` is for the log alone: the client reads `internal`. [`Error::with_log_message`] adds
/// to the log's side of any error.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    detail: Cow<'static, str>,
    retryable: bool,
    retry_after: Option<Duration>,
    violations: Vec<Violation>,
    allow: Option<&'static str>,
    challenge: Option<&'static str>,
    accept_encoding: Option<&'static str>,
    attempt: Option<(AttemptClass, Option<u16>)>,
    internal: Option<String>,
}

impl Error {
    /// Creates an error whose `detail` the client may read.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            code,
            detail: detail.into(),
            retryable: code.retryable,
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
        Self::new(Code::INTERNAL, "the gateway failed to carry out this call")
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
        self.0.attempt = Some((class, status));
        self
    }

    /// Returns the class of the attempt at a provider that caused this error.
    pub(crate) fn class(&self) -> Option<AttemptClass> {
        Some(self.0.attempt?.0)
    }

    /// Returns the HTTP status of the provider's reply that caused this error.
    pub(crate) fn provider_status(&self) -> Option<u16> {
        self.0.attempt?.1
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

/// A boxed error for tower layers, since [`Error`] itself does not implement `std::error::Error`.
struct BoxedError(Error);

impl fmt::Debug for BoxedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BoxedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for BoxedError {}

/// Lets a tower layer fail with it: `Err(Error::new(…).into())`.
impl From<Error> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: Error) -> Self {
        Box::new(BoxedError(error))
    }
}

impl Error {
    /// Returns the [`Error`] within a box; returns any other error as it is.
    pub(crate) fn downcast(
        error: Box<dyn std::error::Error + Send + Sync>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        error.downcast::<BoxedError>().map(|boxed| boxed.0)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code.name)
            .field("detail", &self.0.detail)
            .field("internal", &self.0.internal)
            .finish_non_exhaustive()
    }
}

/// Writes what the client may read; the log's side is in [`Error::log_message`].
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.name, self.0.detail)
    }
}

/// Turns any other error into an `internal` error, for the log alone. ([`Error`] does not implement
/// `std::error::Error` itself, as with `anyhow`, so that `?` works for every type.)
impl<E: std::error::Error + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Self {
        Self::internal(with_causes(&error))
    }
}

/// Returns the message of an error and of all its causes.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    message
}
