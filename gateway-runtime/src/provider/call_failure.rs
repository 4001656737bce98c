//! The end of a call at all providers, and what the client reads of it.

use std::borrow::Cow;

use crate::base::{attempt::AttemptClass, error::Code};

/// The end of a call at all providers, if more than one attempt decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallFailure {
    /// No provider was available.
    NoProvider,
    /// The call may have been executed.
    OutcomeUnknown,
    /// The deadline has passed.
    Timeout,
    /// The store could not record the provider before anything was sent.
    Unwritten,
    /// All attempts failed, and another call does no harm.
    Failed,
}

/// Returns the code that the client receives.
pub(super) fn code(failure: Option<CallFailure>, class: AttemptClass) -> Code {
    match (failure, class) {
        (Some(CallFailure::NoProvider), _) => Code::NO_PROVIDER,
        (Some(CallFailure::OutcomeUnknown), _) => Code::OUTCOME_UNKNOWN,
        (Some(CallFailure::Timeout), _) => Code::TIMEOUT,
        (Some(CallFailure::Unwritten), _) => Code::OVERLOADED,
        (_, AttemptClass::Invalid | AttemptClass::Unsupported) => Code::INVALID_REQUEST,
        _ => Code::PROVIDER_FAILED,
    }
}

/// Returns the detail that the client reads; `public_detail` is that of the provider's author.
pub(super) fn detail(
    failure: Option<CallFailure>,
    class: AttemptClass,
    public_detail: Option<Cow<'static, str>>,
) -> Cow<'static, str> {
    match (failure, class) {
        (Some(CallFailure::NoProvider), _) => "no provider is available".into(),
        (Some(CallFailure::OutcomeUnknown), _) => {
            "the provider's reply was lost; the outcome is unknown".into()
        }
        (Some(CallFailure::Timeout), _) => "no provider answered in time".into(),
        (_, AttemptClass::Invalid) => {
            public_detail.unwrap_or("the provider rejected the request as invalid".into())
        }
        (_, AttemptClass::Unsupported) => {
            public_detail.unwrap_or("no provider supports the request".into())
        }
        _ => public_detail.unwrap_or("the provider failed".into()),
    }
}
