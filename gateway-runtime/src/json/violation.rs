//! A contradiction between an input and its JSON Schema, as clients read it.

use serde::{Deserialize, Serialize};

/// One way in which an input contradicts its schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Where: a JSON Pointer (RFC 6901) into the input; empty for the whole of it.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl Violation {
    /// How many of one input are reported. One more says that there are more.
    pub(crate) const MAX: usize = 100;
}
