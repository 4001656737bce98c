//! Redis, for state that several gateways share and may lose: quotas, cached replies.
//!
//! Only this module uses the client library. One connection carries the commands of all calls,
//! pipelined. Each command has a time limit, and while the server does not answer, commands fail at
//! once instead of waiting one after another. Without the feature `redis` no connection can be
//! made, and [`Redis`] has no values.

#[cfg(feature = "redis")]
pub(crate) mod client;
#[cfg(feature = "redis")]
pub(crate) mod connection;
#[cfg(not(feature = "redis"))]
pub(crate) mod disabled;
#[cfg(feature = "redis")]
pub(crate) mod reachability;
pub(crate) mod settings;
#[cfg(test)]
#[cfg(feature = "redis")]
pub(crate) mod tests;

use std::{borrow::Cow, fmt};

pub use crate::redis::settings::RedisSettings;

#[cfg(feature = "redis")]
pub use crate::redis::client::{Redis, Script};
#[cfg(not(feature = "redis"))]
pub use crate::redis::disabled::{Redis, Script};

/// An argument of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptArg<'a> {
    /// A number; exact in Lua up to 2⁵³.
    Number(u64),
    /// A text.
    Text(&'a str),
}

/// An error of Redis: its message, and the class that decides whether the command may have been
/// executed.
#[derive(Clone, Debug)]
pub struct RedisError {
    message: Cow<'static, str>,
    kind: RedisErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RedisErrorKind {
    Unasked,
    Away,
    Unable,
    Refused,
}

impl RedisError {
    /// Creates the error of a command that was not sent, because the server failed to answer a
    /// moment ago; nothing was executed.
    #[must_use]
    pub fn short_circuited() -> Self {
        Self {
            message: "Redis did not answer just now, and was not asked".into(),
            kind: RedisErrorKind::Unasked,
        }
    }

    /// Creates the error of a server that cannot be reached or did not answer in time; whether the
    /// command was executed is unknown.
    #[must_use]
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: RedisErrorKind::Away }
    }

    /// Creates the error of a server that answers but cannot serve now (LOADING, READONLY); nothing
    /// was executed.
    #[must_use]
    pub fn not_ready(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: RedisErrorKind::Unable }
    }

    /// Creates the error of a command that the server rejects.
    #[must_use]
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: RedisErrorKind::Refused }
    }

    /// Returns whether the server could not be reached, did not answer in time, or cannot serve
    /// now; otherwise it rejected the command.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.kind != RedisErrorKind::Refused
    }

    /// Returns whether the server itself sent the error.
    #[cfg(feature = "redis")]
    fn is_answer(&self) -> bool {
        matches!(self.kind, RedisErrorKind::Unable | RedisErrorKind::Refused)
    }

    /// Returns whether the command may have been executed nevertheless (SEMANTICS §3: ambiguous).
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.kind == RedisErrorKind::Away
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for RedisError {}
