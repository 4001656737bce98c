//! The execution of a call, as its outcome tells: executed, definite failure (nothing was executed), or outcome unknown
//! (SEMANTICS §7).

use crate::base::{
    attempt::{Attempt, AttemptClass},
    call::Call,
    error::{Code, Error},
    reply::Reply,
    spec::Effect,
};

/// What can be said of a call by its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) enum Execution {
    /// It was carried out, and has its answer, good or bad.
    Executed,
    /// Definite failure: nothing was executed. The hold is released and the key is free.
    NotExecuted,
    /// It may have been carried out, or half of it.
    Unknown,
}

impl Execution {
    pub(in crate::pipeline) fn of(call: &Call, outcome: &Result<Reply, Error>) -> Self {
        let Err(error) = outcome else { return Self::Executed };
        match error.code().status() {
            _ if error.code() == Code::OUTCOME_UNKNOWN => Self::Unknown,
            // The author's own refusal; the pool says of every other 4xx what it was.
            400 | 404..=428 | 430..=499 if !error.is_retryable() => Self::Executed,
            // What failed somewhere inside may have happened, unless every attempt at a provider says that it did not.
            500 if Self::is_lasting(call) && !was_not_executed(call) => Self::Unknown,
            // The gateway's refusals among them, 401 to 403 and 429: nothing has begun.
            _ => Self::NotExecuted,
        }
    }

    /// Whether a call that was cut off may have done something that lasts.
    pub(in crate::pipeline) fn is_lasting(call: &Call) -> bool {
        call.is_dispatched() && matches!(call.method().effect, Effect::Once | Effect::Keyed)
    }
}

/// Whether a call was carried out, or may have been.
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
