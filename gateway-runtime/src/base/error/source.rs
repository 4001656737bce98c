//! The source of an error: what a library reported, shared so that the error can be cloned.

use std::{error::Error, fmt, sync::Arc};

/// The source of an error, if there is one. Sources are not compared: two errors are equal if they
/// say the same.
#[derive(Clone, Default)]
pub(crate) struct Source(Option<Arc<dyn Error + Send + Sync>>);

impl Source {
    /// Creates the source from a library's error.
    pub(crate) fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(error)))
    }

    /// Returns the error, as [`Error::source`] does.
    pub(crate) fn get(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_ref().map(|error| &**error as _)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Source {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Source {}

#[cfg(test)]
mod tests {
    use crate::base::error::with_causes;

    #[derive(Debug)]
    struct Outer(Option<std::io::Error>, &'static str);

    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.1)
        }
    }

    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.0.as_ref().map(|error| error as _)
        }
    }

    #[test]
    fn a_cause_is_written_once() {
        let io = || Some(std::io::Error::other("reset by peer"));
        assert_eq!(with_causes(&Outer(io(), "cannot send")), "cannot send: reset by peer");
        assert_eq!(with_causes(&Outer(io(), "lost: reset by peer")), "lost: reset by peer");
        assert_eq!(with_causes(&Outer(None, "alone")), "alone");
    }
}
