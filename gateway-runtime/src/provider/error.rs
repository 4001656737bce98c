//! The failure of an attempt at a provider, with its attempt class: not executed (not sent, rejected), or ambiguous
//! (SEMANTICS §3). Failover decides by the class what may follow.

use std::{borrow::Cow, fmt, time::Duration};

use crate::base::{
    attempt::AttemptClass,
    error::{Code, Error},
};

/// Why a provider did not answer; its [`Class`] decides whether another may be asked.
///
/// A provider's author says what is known of the attempt:
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
///         Some(105) => Err(ProviderError::unsupported("the plan does not include other base currencies")),
///         Some(202) => Err(ProviderError::invalid("code 202").public("there is no such currency")),
///         Some(other) => Err(ProviderError::ambiguous(format!("code {other}"))),
///     }
/// }
/// # assert!(judge(&serde_json::json!({"error": {"code": 202}})).is_err());
/// ```
///
/// The message is for the log; what the client may read is said with [`public`](Self::public). It is no
/// `std::error::Error`, so that `?` turns it into an [`Error`] whose code tells the client what became of the call.
pub struct ProviderError(Box<Inner>);

struct Inner {
    class: AttemptClass,
    message: Cow<'static, str>,
    public_detail: Option<Cow<'static, str>>,
    status: Option<u16>,
    retry_after: Option<Duration>,
    timed_out: bool,
    end: Option<CallFailure>,
}

/// The longest pause that is believed of a provider.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);

/// How a call at all providers ended, where more than one attempt decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallFailure {
    /// Nobody could be asked.
    NoProvider,
    /// It may have been done.
    OutcomeUnknown,
    /// There was no time left.
    Timeout,
    /// The books could not be written before anybody was asked.
    Unwritten,
    /// All that were asked failed, and asking again does no harm.
    Failed,
}

impl ProviderError {
    fn new(class: AttemptClass, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            class,
            message: message.into(),
            public_detail: None,
            status: None,
            retry_after: None,
            timed_out: false,
            end: None,
        }))
    }

    /// Nothing reached the provider. The next one is asked, whatever the effect.
    #[must_use]
    pub fn not_sent(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::NotSent, message)
    }

    /// The provider said that it did nothing. The next one is asked, whatever the effect.
    #[must_use]
    pub fn rejected(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::Rejected, message)
    }

    /// It may have been done. Only where repeating does no harm is anybody asked again.
    #[must_use]
    pub fn ambiguous(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::Ambiguous, message)
    }

    /// There was no answer in time: [`ambiguous`](Self::ambiguous), and `timeout` for the client.
    #[must_use]
    pub fn timed_out(message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(AttemptClass::Ambiguous, message);
        error.0.timed_out = true;
        error
    }

    /// The request itself is wrong. Nobody else is asked.
    #[must_use]
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::Invalid, message)
    }

    /// This provider cannot do it, and did not. The next one is asked, whatever the effect.
    #[must_use]
    pub fn unsupported(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(AttemptClass::Unsupported, message)
    }

    /// Classifies an HTTP status (SEMANTICS §3).
    ///
    /// | status | class |
    /// |---|---|
    /// | 421 Misdirected Request (RFC 9110 §15.5.20), 425 Too Early (RFC 8470 §5.2) | not-sent: the server did not process the request |
    /// | 401, 402, 403, 429 | rejected |
    /// | 408 Request Timeout (RFC 9110 §15.5.9) | ambiguous: the server may have acted on the part it received |
    /// | other 4xx | invalid |
    /// | every other status | ambiguous |
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

    /// What the first item of a stream failed with, as its attempt's error; ambiguous where nothing else is known.
    pub(super) fn from_item(error: &Error) -> Self {
        let message = error.log_message().unwrap_or_else(|| error.detail()).to_owned();
        let mut this = Self::new(error.class().unwrap_or(AttemptClass::Ambiguous), message);
        this.0.status = error.provider_status();
        match error.retry_after() {
            Some(delay) => this.retry_after(delay),
            None => this,
        }
    }

    /// Nobody could be asked; somebody may be after this time.
    pub(super) fn no_provider(retry_after: Duration, message: String) -> Self {
        Self::new(AttemptClass::NotSent, message)
            .with_call_failure(CallFailure::NoProvider)
            .retry_after(retry_after)
    }

    /// Lowers `Retry-After` to `longest`, the longest cool-down: neither the client nor this gateway
    /// waits longer for a provider.
    pub(super) fn cap_retry_after(mut self, longest: Duration) -> Self {
        self.0.retry_after = self.0.retry_after.map(|delay| delay.min(longest));
        self
    }

    /// It could not be written down who is about to be asked, so nobody was.
    pub(super) fn not_noted(error: Error) -> Self {
        Self::not_sent(error.log_message().unwrap_or_else(|| error.detail()).to_owned())
            .with_public_detail("the call cannot be written down now, so no provider was asked")
            .with_call_failure(CallFailure::Unwritten)
    }

    /// Says how the call ended.
    pub(super) fn with_call_failure(mut self, end: CallFailure) -> Self {
        self.0.end = Some(end);
        self
    }

    /// The same with another class, where the provider's author knows better than the status.
    #[must_use]
    pub fn with_class(mut self, class: AttemptClass) -> Self {
        self.0.class = class;
        self
    }

    /// What the client may read of it. Never put a provider's own words here unchecked.
    #[must_use]
    pub fn with_public_detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.public_detail = Some(detail.into());
        self
    }

    /// When the provider may be asked again, as it says itself; at most a day. A rejection with such a
    /// time is a cool-down. In a pool, `failover.breaker.max_cool_down` limits it further.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay.min(MAX_RETRY_AFTER));
        self
    }

    /// Puts `message` before what the log is told.
    #[must_use]
    pub fn log(mut self, message: impl fmt::Display) -> Self {
        self.0.message = Cow::Owned(format!("{message}: {}", self.0.message));
        self
    }

    /// Puts `message` after what the log is told.
    pub(super) fn log_after(mut self, message: impl fmt::Display) -> Self {
        self.0.message = Cow::Owned(format!("{}: {message}", self.0.message));
        self
    }

    /// What is known of the attempt.
    #[must_use]
    pub fn class(&self) -> AttemptClass {
        self.0.class
    }

    /// The HTTP status that the provider answered with.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// When the provider may be asked again.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What the log is told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The code that the client is told.
    #[must_use]
    pub fn code(&self) -> Code {
        match (self.0.end, self.0.class) {
            (Some(CallFailure::NoProvider), _) => Code::NO_PROVIDER,
            (Some(CallFailure::OutcomeUnknown), _) => Code::OUTCOME_UNKNOWN,
            (Some(CallFailure::Timeout), _) => Code::TIMEOUT,
            (Some(CallFailure::Unwritten), _) => Code::OVERLOADED,
            (_, AttemptClass::Invalid | AttemptClass::Unsupported) => Code::INVALID_REQUEST,
            _ => Code::PROVIDER_FAILED,
        }
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
            .field("end", &self.0.end)
            .finish_non_exhaustive()
    }
}

/// What the log is told.
impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// What the client is told: the code, and only what the provider's author made public.
impl From<ProviderError> for Error {
    fn from(error: ProviderError) -> Self {
        let code = error.code();
        let Inner { class, message, public_detail, status, retry_after, end, .. } = *error.0;
        let detail = match (end, class) {
            (Some(CallFailure::NoProvider), _) => "no provider can be asked now".into(),
            (Some(CallFailure::OutcomeUnknown), _) => {
                "a provider was asked and its answer is lost; whether it was carried out is not known".into()
            }
            (Some(CallFailure::Timeout), _) => "no provider answered in time".into(),
            (_, AttemptClass::Invalid) => public_detail.unwrap_or("the provider finds the request invalid".into()),
            (_, AttemptClass::Unsupported) => public_detail.unwrap_or("no provider supports what is asked for".into()),
            _ => public_detail.unwrap_or("the provider failed".into()),
        };
        let this = Self::new(code, detail).with_log_message(message).with_attempt(class, status);
        // A failure that is not an unknown outcome did no harm, so neither does another call.
        let this = if end == Some(CallFailure::Failed) { this.with_retryable(true) } else { this };
        // A provider's own time is only told where waiting helps.
        match retry_after {
            Some(delay) if this.is_retryable() => this.with_retry_after(delay),
            _ => this,
        }
    }
}
