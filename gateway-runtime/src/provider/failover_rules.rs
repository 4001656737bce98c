//! What may follow an attempt that failed: effect × class.

use crate::base::{attempt::AttemptClass, spec::Effect};

/// What may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailoverDecision {
    /// Nothing.
    Stop,
    /// An attempt at another provider.
    Other,
    /// An attempt at the same provider, with the same key, and at no other.
    Same,
}

/// What may follow an attempt of this effect that ended so.
pub(super) const fn decide(effect: Effect, class: AttemptClass) -> FailoverDecision {
    match class {
        AttemptClass::NotSent | AttemptClass::Rejected | AttemptClass::Unsupported => {
            FailoverDecision::Other
        }
        AttemptClass::Ambiguous => match effect {
            Effect::Read | Effect::Idempotent => FailoverDecision::Other,
            Effect::Keyed => FailoverDecision::Same,
            Effect::Once => FailoverDecision::Stop,
        },
        AttemptClass::Invalid | AttemptClass::Fulfilled | AttemptClass::Cancelled => {
            FailoverDecision::Stop
        }
    }
}
