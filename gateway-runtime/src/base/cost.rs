//! The cost of a call of a provider's method to us, as the method's attribute declares it: an
//! estimated cost; unknown where none is declared, and never silently 0 (SEMANTICS §7).

use std::{any::Any, fmt};

use serde::{Serialize, Serializer};

use crate::base::money::Money;

/// A reference argument of a capability's method, as strategies and cost functions receive it.
pub type Argument = dyn Any + Sync;

/// Returns the first of `arguments` that is of type `Q`.
#[must_use]
pub(crate) fn argument_of<'a, Q: 'static>(arguments: &[&'a Argument]) -> Option<&'a Q> {
    arguments.iter().find_map(|argument| (*argument as &dyn Any).downcast_ref())
}

/// Returns the argument at the index `place`, if it is a `Q`. The code that `cost = a_function`
/// expands to takes its arguments with it.
#[must_use]
pub fn argument<'a, Q: 'static>(arguments: &[&'a Argument], place: usize) -> Option<&'a Q> {
    (*arguments.get(place)? as &dyn Any).downcast_ref()
}

/// The declared cost of a call of one method of one provider.
#[derive(Clone, Copy, Default)]
pub enum Cost {
    /// Unknown; never counted as zero.
    #[default]
    Unknown,
    /// Flat: the same for every call.
    Flat(Money),
    /// A function of the call's reference arguments; it returns `None` when it cannot tell the
    /// cost.
    PerRequest(fn(&[&Argument]) -> Option<Money>),
}

impl Cost {
    /// Returns the cost of a call with these arguments; `None` when unknown.
    #[must_use]
    pub fn of(&self, arguments: &[&Argument]) -> Option<Money> {
        match self {
            Self::Unknown => None,
            Self::Flat(cost) => Some(*cost),
            Self::PerRequest(cost) => cost(arguments),
        }
    }
}

impl fmt::Debug for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("Unknown"),
            Self::Flat(cost) => f.debug_tuple("Flat").field(cost).finish(),
            Self::PerRequest(_) => f.write_str("Of(..)"),
        }
    }
}

/// Serialises as `"0.0002 USD"`, `"by-request"`, or null when unknown.
impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unknown => serializer.serialize_none(),
            Self::Flat(cost) => cost.serialize(serializer),
            Self::PerRequest(_) => serializer.serialize_str("by-request"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_may_be_a_function_of_the_arguments() {
        let each = Money::literal(1_000, "USD");
        const BY_LENGTH: Cost = Cost::PerRequest(|arguments| {
            Money::literal(1_000, "USD")
                .checked_mul(argument_of::<Vec<u8>>(arguments)?.len() as i64)
        });
        let (number, bytes) = (7_u32, vec![0_u8; 3]);
        assert_eq!(BY_LENGTH.of(&[&number, &bytes]), each.checked_mul(3));
        assert_eq!(argument::<u32>(&[&number, &bytes], 0), Some(&7));
        assert_eq!(argument::<u32>(&[&number, &bytes], 1), None);
        assert_eq!(BY_LENGTH.of(&[&number]), None);
        assert_eq!(
            serde_json::to_string(&[Cost::Unknown, Cost::Flat(each), BY_LENGTH]).unwrap(),
            r#"[null,"0.000001 USD","by-request"]"#
        );
    }
}
