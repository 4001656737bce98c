//! Redis, for what several gateways share and may lose: quotas, cached answers.
//!
//! The only module that names the library. One connection carries the commands of all calls, pipelined; each command
//! has a time limit, and while the server does not answer, commands fail at once instead of waiting one after the
//! other. Built without the feature `redis` there is nothing to connect to, and [`Redis`] has no values.

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
    /// A number; Lua counts exactly up to 2⁵³.
    Number(u64),
    /// A text.
    Text(&'a str),
}

/// Why Redis did not do what it was asked for.
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
    /// It was not asked, since it did not answer just now: nothing was done.
    #[must_use]
    pub fn short_circuited() -> Self {
        Self {
            message: "Redis did not answer just now, and was not asked".into(),
            kind: RedisErrorKind::Unasked,
        }
    }

    /// It cannot be reached, or did not answer in time: whether it did what was asked is not known.
    #[must_use]
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: RedisErrorKind::Away }
    }

    /// It answers, and cannot now: nothing was done.
    #[must_use]
    pub fn not_ready(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: RedisErrorKind::Unable }
    }

    /// It answers, and will not do it.
    #[must_use]
    pub fn refused(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: RedisErrorKind::Refused }
    }

    /// Whether it could not be reached, did not answer in time, or is not able to do anything now; otherwise it
    /// refused.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.kind != RedisErrorKind::Refused
    }

    /// Whether it said so itself.
    #[cfg(feature = "redis")]
    fn is_answer(&self) -> bool {
        matches!(self.kind, RedisErrorKind::Unable | RedisErrorKind::Refused)
    }

    /// Whether what was asked for may have been done all the same.
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
