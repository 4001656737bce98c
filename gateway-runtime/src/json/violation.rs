//! A violation: a contradiction between an input and its JSON Schema, as clients read it.

use serde::{Deserialize, Serialize};

/// A violation of a schema by an input.
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
