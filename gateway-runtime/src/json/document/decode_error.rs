//! The error of a value that its type rejects.

use std::{error::Error, fmt};

use serde::de;

/// The error of a value that its type rejects. It has no message: an untagged enum rejects a value
/// once for every alternative that does not fit, and most messages would be discarded. The reason
/// and the place are found by decoding again, if they are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecodeError;

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the type does not accept the value")
    }
}

impl Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}
