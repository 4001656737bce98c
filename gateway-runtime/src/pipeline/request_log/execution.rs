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
            _ if !Self::is_lasting(call) => Self::NotExecuted,
            // SEMANTICS §5 releases a key if all attempts were not-sent or rejected. The last
            // pool's error says so of its own attempts alone.
            _ if has_lasting_attempt(call) || is_ambiguous(error) => Self::Unknown,
            // An internal failure may have had an effect, unless every attempt at a provider was
            // harmless.
            500 if !was_not_executed(call) => Self::Unknown,
            // Among them the gateway's own refusals, 401 to 403 and 429: nothing has begun.
            _ => Self::NotExecuted,
        }
    }

    /// Returns whether a call that is dropped may have had a lasting effect.
    pub(in crate::pipeline) fn is_lasting(call: &Call) -> bool {
        call.is_dispatched() && is_lasting_effect(call.method().effect)
    }
}

/// Returns whether a call was executed, or may have been.
pub(crate) fn may_have_happened(call: &Call, outcome: &Result<Reply, Error>) -> bool {
    Execution::of(call, outcome) != Execution::NotExecuted
}

fn is_lasting_effect(effect: Effect) -> bool {
    matches!(effect, Effect::Keyed | Effect::Once)
}

/// Returns whether an attempt that must not be repeated was executed, or may have been.
fn has_lasting_attempt(call: &Call) -> bool {
    let is_lasting =
        |attempt: &Attempt| is_lasting_effect(attempt.effect) && attempt.may_have_cost();
    call.with_attempts(|attempts| attempts.iter().any(is_lasting))
}

/// Returns whether an error is that of an ambiguous request which no pool has repeated: of a method
/// that uses an HTTP client of its own.
fn is_ambiguous(error: &Error) -> bool {
    error.class() == Some(AttemptClass::Ambiguous) && !error.is_retryable()
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
