//! The failure of an attempt at a provider, with its attempt class: not executed (not sent,
//! rejected), or ambiguous (SEMANTICS §3). Failover decides by the class what may follow.

use std::{borrow::Cow, fmt, time::Duration};

use crate::{
    base::{
        attempt::AttemptClass,
        error::{Code, Error},
    },
    provider::call_failure::{self, CallFailure},
};

/// The failure of a provider; its [`AttemptClass`] decides whether another one may be tried.
///
/// A provider's author states what is known of the attempt:
///
/// ```
/// use gateway_runtime::ProviderError;
///
/// fn judge(answer: &serde_json::Value) -> Result<(), ProviderError> {
///     match answer["error"]["code"].as_u64() {
///         None => Ok(()),
///         // This provider answers errors with status 200.
///         Some(101) => Err(ProviderError::from_status(401).log("the access key is wrong")),
///         Some(104) => Err(ProviderError::from_status(429).log("the monthly volume is used up")),
///         Some(105) => {
///             Err(ProviderError::unsupported("the plan does not include other base currencies"))
///         }
///         Some(202) => {
///             let error = ProviderError::invalid("code 202");
///             Err(error.with_public_detail("there is no such currency"))
///         }
///         Some(other) => Err(ProviderError::ambiguous(format!("code {other}"))),
///     }
/// }
/// # assert!(judge(&serde_json::json!({"error": {"code": 202}})).is_err());
/// ```
///
/// The message is for the log; [`with_public_detail`](Self::with_public_detail) sets what the
/// client may read. The type is no `std::error::Error`, so that `?` turns it into an [`Error`]
/// whose code states how the call ended.
pub struct ProviderError(Box<Inner>);

struct Inner {
    class: AttemptClass,
    message: Cow<'static, str>,
    public_detail: Option<Cow<'static, str>>,
    status: Option<u16>,
    retry_after: Option<Duration>,
    timed_out: bool,
    call_failure: Option<CallFailure>,
}

/// The maximum retry delay that is accepted from a provider.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

impl ProviderError {
    fn new(class: AttemptClass, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            class,
            message: message.into(),
            public_detail: None,
            status: None,
            retry_after: None,
            timed_out: false,
            call_failure: None,
        }))
    }

    /// Creates a `not-sent` failure: nothing reached the provider. The next one is tried, whatever
    /// the effect.
    #[must_use]
    pub fn not_sent(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::NotSent, message)
    }

    /// Creates a `rejected` failure: the provider reports that it did nothing. The next one is
    /// tried, whatever the effect.
    #[must_use]
    pub fn rejected(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::Rejected, message)
    }

    /// Creates an `ambiguous` failure: the attempt may have been executed. Another attempt follows
    /// only if repeating does no harm.
    #[must_use]
    pub fn ambiguous(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::Ambiguous, message)
    }

    /// Creates an [`ambiguous`](Self::ambiguous) failure of an attempt without a reply in time; its
    /// code for the client is `timeout`.
    #[must_use]
    pub fn timed_out(message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(AttemptClass::Ambiguous, message);
        error.0.timed_out = true;
        error
    }

    /// Creates an `invalid` failure: the request itself is wrong. No other provider is tried.
    #[must_use]
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::Invalid, message)
    }

    /// Creates an `unsupported` failure: this provider cannot execute the call, and did not. The
    /// next one is tried, whatever the effect.
    #[must_use]
    pub fn unsupported(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::Unsupported, message)
    }

    /// Classifies an HTTP status (SEMANTICS §3).
    ///
    /// - 421 Misdirected Request (RFC 9110 §15.5.20) and 425 Too Early (RFC 8470 §5.2) are
    ///   `not-sent`: the server did not process the request.
    /// - 401, 402, 403 and 429 are `rejected`.
    /// - 408 Request Timeout (RFC 9110 §15.5.9) is `ambiguous`: the server may have acted on the
    ///   part it received.
    /// - Other 4xx are `invalid`.
    /// - Every other status is `ambiguous`.
    #[must_use]
    pub fn from_status(status: u16) -> Self {
        let class = match status {
            421 | 425 => AttemptClass::NotSent,
            401 | 402 | 403 | 429 => AttemptClass::Rejected,
            408 => AttemptClass::Ambiguous,
            400..=499 => AttemptClass::Invalid,
            _ => AttemptClass::Ambiguous,
        };
        let mut error = Self::new(class, format!("status {status}"));
        error.0.status = Some(status);
        error
    }

    /// Creates the failure of an attempt from the error of a stream's first item; `ambiguous` if
    /// nothing else is known.
    pub(super) fn from_item(error: &Error) -> Self {
        let message = error.log_message().unwrap_or_else(|| error.detail()).to_owned();
        let mut this = Self::new(error.class().unwrap_or(AttemptClass::Ambiguous), message);
        this.0.status = error.provider_status();
        match error.retry_after() {
            Some(delay) => this.retry_after(delay),
            None => this,
        }
    }

    /// Creates the failure of a call for which no provider is available; one may be after
    /// `retry_after`.
    pub(super) fn no_provider(retry_after: Duration, message: String) -> Self {
        Self::new(AttemptClass::NotSent, message)
            .with_call_failure(CallFailure::NoProvider)
            .retry_after(retry_after)
    }

    /// Lowers `Retry-After` to `longest`, the longest cool-down: neither the client nor this
    /// gateway waits longer for a provider.
    pub(super) fn cap_retry_after(mut self, longest: Duration) -> Self {
        self.0.retry_after = self.0.retry_after.map(|delay| delay.min(longest));
        self
    }

    /// Creates the failure of a call whose next provider could not be recorded; nothing was sent to
    /// it.
    pub(super) fn not_recorded(error: Error) -> Self {
        Self::not_sent(error.log_message().unwrap_or_else(|| error.detail()).to_owned())
            .with_public_detail(
                "the store is unavailable and the call was not executed; retry later",
            )
            .with_call_failure(CallFailure::Unwritten)
    }

    /// Sets the end of the call.
    pub(super) fn with_call_failure(mut self, failure: CallFailure) -> Self {
        self.0.call_failure = Some(failure);
        self
    }

    /// Sets another class, if the provider's author knows better than the status.
    #[must_use]
    pub fn with_class(mut self, class: AttemptClass) -> Self {
        self.0.class = class;
        self
    }

    /// Sets the detail that the client may read. Never put a provider's own words here unchecked.
    #[must_use]
    pub fn with_public_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.public_detail = Some(detail.into());
        self
    }

    /// Sets the time after which the provider accepts calls again, as it states itself; at most a
    /// day. A rejection with such a time is a cool-down. In a pool,
    /// `failover.breaker.max_cool_down` limits it further.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay.min(MAX_RETRY_AFTER));
        self
    }

    /// Puts `message` before the log message.
    #[must_use]
    pub fn log(mut self, message: impl fmt::Display) -> Self {
        self.0.message = Cow::Owned(format!("{message}: {}", self.0.message));
        self
    }

    /// Puts `message` after the log message.
    pub(super) fn log_after(mut self, message: impl fmt::Display) -> Self {
        self.0.message = Cow::Owned(format!("{}: {message}", self.0.message));
        self
    }

    /// Returns the class of the attempt.
    #[must_use]
    pub fn class(&self) -> AttemptClass {
        self.0.class
    }

    /// Returns the HTTP status of the provider's response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns the time after which the provider accepts calls again.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the log message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the code that the client receives.
    #[must_use]
    pub fn code(&self) -> Code {
        call_failure::code(self.0.call_failure, self.0.class)
    }

    pub(super) fn is_time_out(&self) -> bool {
        self.0.timed_out
    }
}

impl fmt::Debug for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderError")
            .field("class", &self.0.class)
            .field("message", &self.0.message)
            .field("status", &self.0.status)
            .field("call_failure", &self.0.call_failure)
            .finish_non_exhaustive()
    }
}

/// Writes the log message.
impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// Creates the client's error: the code, and only the detail that the provider's author made
/// public.
impl From<ProviderError> for Error {
    fn from(error: ProviderError) -> Self {
        let code = error.code();
        let Inner { class, message, public_detail, status, retry_after, call_failure, .. } =
            *error.0;
        let detail = call_failure::detail(call_failure, class, public_detail);
        let this = Self::new(code, detail).with_log_message(message).with_attempt(class, status);
        // A failure that is not an unknown outcome did no harm, so another call does none either.
        let this = if call_failure == Some(CallFailure::Failed) {
            this.with_retryable(true)
        } else {
            this
        };
        // The client receives a retry delay only if waiting helps.
        match retry_after {
            Some(delay) if this.is_retryable() => this.with_retry_after(delay),
            _ => this,
        }
    }
}
