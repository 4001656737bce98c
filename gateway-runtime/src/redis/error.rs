//! Errors of Redis.

use std::{borrow::Cow, fmt};

use crate::base::error::Source;

/// An error of Redis: its message, and the class that decides whether the command may have been
/// executed.
///
/// ```
/// use bytes::Bytes;
/// use gateway_runtime::redis::{Redis, RedisError};
///
/// /// Returns a cached value; none while Redis is unavailable, since a cache may be empty.
/// async fn cached(redis: &Redis, key: &str) -> Result<Option<Bytes>, RedisError> {
///     match redis.get(key).await {
///         Err(error) if error.is_unavailable() => Ok(None),
///         result => result,
///     }
/// }
///
/// // A command that changes something may be sent again only if it was not executed.
/// assert!(!RedisError::short_circuited().is_ambiguous());
/// assert!(RedisError::unavailable("no reply within 500 ms").is_ambiguous());
/// ```
#[derive(Clone, Debug)]
pub struct RedisError {
    message: Cow<'static, str>,
    kind: RedisErrorKind,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RedisErrorKind {
    ShortCircuited,
    Unavailable,
    NotReady,
    Rejected,
}

impl RedisError {
    fn new(kind: RedisErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind, source: Source::default() }
    }

    /// Returns the error with a library's error as its source. The text has that error's already.
    #[cfg(feature = "redis")]
    pub(super) fn with_source(self, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { source: Source::new(error), ..self }
    }

    /// Creates the error of a command that was not sent, because the server failed to answer a
    /// moment ago; nothing was executed.
    #[must_use]
    pub fn short_circuited() -> Self {
        Self::new(RedisErrorKind::ShortCircuited, "Redis is unavailable; nothing was sent")
    }

    /// Creates the error of a server that cannot be reached or did not answer in time; whether the
    /// command was executed is unknown.
    #[must_use]
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RedisErrorKind::Unavailable, message)
    }

    /// Creates the error of a server that answers but cannot serve now (LOADING, READONLY); nothing
    /// was executed.
    #[must_use]
    pub fn not_ready(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RedisErrorKind::NotReady, message)
    }

    /// Creates the error of a command that the server rejects.
    #[must_use]
    pub fn rejected(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(RedisErrorKind::Rejected, message)
    }

    /// Returns whether the server could not be reached, did not answer in time, or cannot serve
    /// now; otherwise it rejected the command.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.kind != RedisErrorKind::Rejected
    }

    /// Returns the error with another message.
    #[cfg(feature = "redis")]
    pub(super) fn with_message(self, message: String) -> Self {
        Self { message: message.into(), ..self }
    }

    /// Returns whether the server itself sent the error.
    #[cfg(feature = "redis")]
    pub(super) fn is_answer(&self) -> bool {
        matches!(self.kind, RedisErrorKind::NotReady | RedisErrorKind::Rejected)
    }

    /// Returns whether the command may have been executed nevertheless (SEMANTICS §3: ambiguous).
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.kind == RedisErrorKind::Unavailable
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RedisError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.get()
    }
}
