//! A violation: a contradiction between an input and its JSON Schema, as clients read it.

use serde::{Deserialize, Serialize};

/// A violation of a schema by an input.
///
/// A method uses the same form for rules that no schema can express:
///
/// ```
/// use gateway_runtime::{Violation, prelude::*};
///
/// /// The first and the last day of a stay.
/// #[model]
/// struct Stay {
///     from: String,
///     until: String,
/// }
///
/// fn check(stay: &Stay) -> Result<()> {
///     if stay.from <= stay.until {
///         return Ok(());
///     }
///     let detail = "must not be before `from`".to_owned();
///     Err(Error::invalid(vec![Violation { pointer: "/until".to_owned(), detail }]))
/// }
///
/// let stay = Stay { from: "2026-12-02".to_owned(), until: "2026-12-01".to_owned() };
/// assert_eq!(check(&stay).unwrap_err().violations()[0].pointer, "/until");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) into the input; empty for the whole input.
    pub pointer: String,
    /// Message: what is wrong and what would be right.
    pub detail: String,
}

impl Violation {
    /// Maximum number of violations reported of one input. One more says that there are more.
    pub(crate) const MAX: usize = 100;
}
