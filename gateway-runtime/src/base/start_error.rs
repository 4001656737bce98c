//! The error of a start: every problem that was found.

use std::fmt;

/// The problems that keep a gateway from starting: every one that was found, not just the first.
pub struct StartError {
    problems: Vec<String>,
}

impl StartError {
    /// One problem: what is wrong, where, and what to do.
    #[must_use]
    pub fn new(problem: impl Into<String>) -> Self {
        Self { problems: vec![problem.into()] }
    }

    /// All of `problems`, if there are any.
    ///
    /// # Errors
    ///
    /// When there is at least one.
    pub fn from_problems(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// All of `problems`; there is at least one.
    pub(crate) fn from_nonempty(problems: Vec<String>) -> Self {
        Self { problems }
    }

    /// The same, with each problem as `f` has it.
    pub(crate) fn map(self, f: impl FnMut(String) -> String) -> Self {
        Self { problems: self.problems.into_iter().map(f).collect() }
    }

    /// Every problem.
    #[must_use]
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The problems alone.
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
            // What follows a line break belongs to the same problem.
            write!(f, "\n  {}. {}", number + 1, problem.replace('\n', "\n     "))?;
        }
        Ok(())
    }
}

/// As `Display`: this is what `fn main() -> Result<(), StartError>` prints.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartError {}
