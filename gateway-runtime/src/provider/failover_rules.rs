//! The failover rules: what may follow a failed attempt, by effect and class (SEMANTICS §3).

use crate::base::{attempt::AttemptClass, spec::Effect};

/// The decision after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailoverDecision {
    /// No further attempt.
    Stop,
    /// An attempt at another provider.
    NextProvider,
    /// An attempt at the same provider, with the same key, and at no other.
    SameProvider,
}

/// Decides what may follow an attempt of this effect and class.
pub(super) const fn decide(effect: Effect, class: AttemptClass) -> FailoverDecision {
    match class {
        AttemptClass::NotSent | AttemptClass::Rejected | AttemptClass::Unsupported => {
            FailoverDecision::NextProvider
        }
        AttemptClass::Ambiguous => match effect {
            Effect::Read | Effect::Idempotent => FailoverDecision::NextProvider,
            Effect::Keyed => FailoverDecision::SameProvider,
            Effect::Once => FailoverDecision::Stop,
        },
        AttemptClass::Invalid | AttemptClass::Fulfilled | AttemptClass::Cancelled => {
            FailoverDecision::Stop
        }
    }
}
