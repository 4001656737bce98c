//! The execution of a call, as its outcome shows: executed, definite failure (nothing was
//! executed), or outcome unknown (SEMANTICS §7).

use crate::base::{
    attempt::{Attempt, AttemptClass},
    call::Call,
    error::{Code, Error},
    reply::Reply,
    spec::Effect,
};

/// The knowledge of a call's effect that its outcome gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum Execution {
    /// The call was executed, and has its reply or its error.
    Executed,
    /// Definite failure: nothing was executed. The hold is released and the key is free.
    NotExecuted,
    /// Outcome unknown: the call may have been executed, wholly or in part.
    Unknown,
}

impl Execution {
    pub(in crate::pipeline) fn of(call: &Call, outcome: &Result<Reply, Error>) -> Self {
        let Err(error) = outcome else { return Self::Executed };
        match error.code().status() {
            _ if error.code() == Code::OUTCOME_UNKNOWN => Self::Unknown,
            // The author's own refusal. The pool's errors state what every other 4xx was.
            400 | 404..=428 | 430..=499 if !error.is_retryable() => Self::Executed,
            // An internal failure may have had an effect, unless every attempt at a provider was
            // harmless.
            500 if Self::is_lasting(call) && !was_not_executed(call) => Self::Unknown,
            // Among them the gateway's own refusals, 401 to 403 and 429: nothing has begun.
            _ => Self::NotExecuted,
        }
    }

    /// Returns whether a call that is dropped may have had a lasting effect.
    pub(in crate::pipeline) fn is_lasting(call: &Call) -> bool {
        call.is_dispatched() && matches!(call.method().effect, Effect::Once | Effect::Keyed)
    }
}

/// Returns whether a call was executed, or may have been.
pub(crate) fn may_have_happened(call: &Call, outcome: &Result<Reply, Error>) -> bool {
    Execution::of(call, outcome) != Execution::NotExecuted
}

fn was_not_executed(call: &Call) -> bool {
    let harmless = |attempt: &Attempt| {
        matches!(
            attempt.class,
            AttemptClass::NotSent
                | AttemptClass::Rejected
                | AttemptClass::Unsupported
                | AttemptClass::Invalid
        )
    };
    call.with_attempts(|attempts| !attempts.is_empty() && attempts.iter().all(harmless))
}
