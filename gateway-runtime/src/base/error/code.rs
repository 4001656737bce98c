//! Codes: the stable names of failures, with their HTTP status.

use std::fmt;

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

    /// Returns whether sending the call again can help. An [`Error`](crate::Error) may override it.
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
