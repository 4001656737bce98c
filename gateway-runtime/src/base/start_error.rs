//! The error of a failed start, with every problem that was found.

use std::fmt;

/// The problems that keep a gateway from starting: every one that was found, not the first alone.
pub struct StartError {
    problems: Vec<String>,
}

impl StartError {
    /// Creates an error of one problem: what is wrong, where, and how to mend it.
    #[must_use]
    pub fn new(problem: impl Into<String>) -> Self {
        Self { problems: vec![problem.into()] }
    }

    /// Returns an error of all `problems`, if there are any.
    ///
    /// # Errors
    ///
    /// Returns an error if there is at least one problem.
    pub fn from_problems(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// Creates an error of `problems`, of which there is at least one.
    pub(crate) fn from_nonempty(problems: Vec<String>) -> Self {
        Self { problems }
    }

    /// Creates an error without a problem of its own: it follows from one that is reported where it
    /// was found.
    pub(crate) const fn reported_elsewhere() -> Self {
        Self { problems: Vec::new() }
    }

    /// Applies `f` to each problem.
    pub(crate) fn map(self, f: impl FnMut(String) -> String) -> Self {
        Self { problems: self.problems.into_iter().map(f).collect() }
    }

    /// Returns every problem.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Returns every problem, and consumes the error.
    #[must_use]
    pub fn into_problems(self) -> Vec<String> {
        self.problems
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.problems.as_slice() {
            return write!(f, "the gateway cannot start: {only}");
        }
        write!(f, "the gateway cannot start, for {} reasons:", self.problems.len())?;
        for (number, problem) in self.problems.iter().enumerate() {
            // A line break is within a problem, so the next line is indented.
            write!(f, "\n  {}. {}", number + 1, problem.replace('\n', "\n     "))?;
        }
        Ok(())
    }
}

/// Writes the same as `Display`, since this is what `fn main() -> Result<(), StartError>` prints.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartError {}
