//! Errors within boxes, for tower layers.

use std::fmt;

use crate::base::error::Error;

/// A boxed error for tower layers, since [`Error`] itself does not implement `std::error::Error`.
struct BoxedError(Error);

impl fmt::Debug for BoxedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BoxedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for BoxedError {}

/// Lets a tower layer fail with it: `Err(Error::new(…).into())`.
impl From<Error> for Box<dyn std::error::Error + Send + Sync> {
    fn from(error: Error) -> Self {
        Box::new(BoxedError(error))
    }
}

impl Error {
    /// Returns the [`Error`] within a box; returns any other error as it is.
    pub(crate) fn downcast(
        error: Box<dyn std::error::Error + Send + Sync>,
    ) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        error.downcast::<BoxedError>().map(|boxed| boxed.0)
    }
}
