//! What may follow an attempt that failed: effect × class.

use crate::base::{attempt::Class, spec::Effect};

/// What may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing.
    Stop,
    /// An attempt at another provider.
    Other,
    /// An attempt at the same provider, with the same key, and at no other.
    Same,
}

/// What may follow an attempt of this effect that ended so.
pub(super) const fn next(effect: Effect, class: Class) -> Next {
    match class {
        Class::NotSent | Class::Rejected | Class::Unsupported => Next::Other,
        Class::Ambiguous => match effect {
            Effect::Read | Effect::Idempotent => Next::Other,
            Effect::Keyed => Next::Same,
            Effect::Once => Next::Stop,
        },
        Class::Invalid | Class::Fulfilled | Class::Cancelled => Next::Stop,
    }
}
