//! Errors of the store.

use std::{borrow::Cow, fmt};

use crate::base::error::Source;

/// An error of the store: its message, and the class that decides what the caller may do.
///
/// A service that works with one database alone refuses to start with another:
///
/// ```
/// # #[cfg(feature = "sqlite")]
/// # mod example {
/// use gateway_runtime::{BuildContext, Db, FromApp, StartError, db::StoreError, sqlx::SqlitePool};
///
/// struct Guests {
///     pool: SqlitePool,
/// }
///
/// impl FromApp for Guests {
///     fn from_app(context: &BuildContext<'_>) -> Result<Self, StartError> {
///         let db = Db::from_app(context)?;
///         let problem =
///             |error: StoreError| StartError::new(format!("`{}`: {error}", context.owner()));
///         Ok(Self { pool: db.sqlite().map_err(problem)?.clone() })
///     }
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct StoreError {
    message: Cow<'static, str>,
    kind: StoreErrorKind,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StoreErrorKind {
    Refused,
    Duplicate,
    Away,
    Full,
    Locked,
    Uncertain,
}

impl StoreError {
    fn new(kind: StoreErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind, source: Source::default() }
    }

    /// Returns the error with a library's error as its source. The text has that error's already.
    pub(in crate::store) fn with_source(
        self,
        error: impl std::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { source: Source::new(error), ..self }
    }

    /// Creates the error of a statement that the database rejects; nothing was changed.
    pub(crate) fn rejected(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StoreErrorKind::Refused, message)
    }

    /// Creates the error of a database that is unavailable or slow; nothing was changed.
    pub(in crate::store) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StoreErrorKind::Away, message)
    }

    /// Creates the error of a database without room; nothing was changed.
    pub(in crate::store) fn full(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StoreErrorKind::Full, message)
    }

    /// Creates the error of a lock that another process holds for too long; nothing was changed.
    pub(in crate::store) fn locked(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StoreErrorKind::Locked, message)
    }

    /// Creates the error of a change that may be committed or not, because the connection was lost
    /// during the commit.
    pub(in crate::store) fn ambiguous(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StoreErrorKind::Uncertain, message)
    }

    /// Creates the error of a row whose key exists already.
    pub(in crate::store) fn duplicate(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StoreErrorKind::Duplicate, message)
    }

    /// Creates the error of a database's error code: rejected if the same statement would fail
    /// again, otherwise unavailable.
    pub(in crate::store) fn of_code(
        message: impl Into<Cow<'static, str>>,
        is_refusal: bool,
    ) -> Self {
        if is_refusal { Self::rejected(message) } else { Self::unavailable(message) }
    }

    /// Returns whether the database works and rejects this change.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Refused | StoreErrorKind::Duplicate)
    }

    /// Returns whether the change is rejected because its key exists already.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.kind == StoreErrorKind::Duplicate
    }

    /// Returns whether the database has no room.
    pub(in crate::store) fn is_full(&self) -> bool {
        self.kind == StoreErrorKind::Full
    }

    /// Returns the trouble of the database in one word, without details, so that any client may
    /// read it.
    pub(crate) fn word(&self) -> &'static str {
        match self.kind {
            StoreErrorKind::Full => "full",
            StoreErrorKind::Locked => "locked",
            _ => "away",
        }
    }

    /// Returns whether the change may be committed nevertheless (SEMANTICS §3: ambiguous).
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.kind == StoreErrorKind::Uncertain
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.get()
    }
}
