//! Lua scripts, and their arguments.

#[cfg(feature = "redis")]
use redis::{RedisWrite, ToRedisArgs};

/// A Lua script, sent once to each server and called by its SHA-1 afterwards. It cannot run without
/// the feature `redis`.
#[derive(Debug)]
pub struct Script(#[cfg(feature = "redis")] pub(super) redis::Script);

impl Script {
    /// Creates a script from its text.
    #[must_use]
    #[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "no script can run"))]
    pub fn new(text: &str) -> Self {
        Self(
            #[cfg(feature = "redis")]
            redis::Script::new(text),
        )
    }
}

/// An argument of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptArg<'a> {
    /// A number; exact in Lua up to 2⁵³.
    Number(u64),
    /// A text.
    Text(&'a str),
}

#[cfg(feature = "redis")]
impl ToRedisArgs for ScriptArg<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        match self {
            Self::Number(number) => number.write_redis_args(out),
            Self::Text(text) => text.write_redis_args(out),
        }
    }
}
