//! Lua scripts, and their arguments.

#[cfg(feature = "redis")]
use redis::{RedisWrite, ToRedisArgs};

/// A Lua script, sent once to each server and called by its SHA-1 afterwards. It cannot run without
/// the feature `redis`.
///
/// ```
/// use std::sync::LazyLock;
///
/// use gateway_runtime::redis::{Redis, RedisError, Script, ScriptArg};
///
/// /// Takes seats if as many are free. Returns 1 and the number of seats left, or 0.
/// static TAKE: LazyLock<Script> = LazyLock::new(|| {
///     Script::new(
///         "local free = tonumber(redis.call('GET', KEYS[1]) or '0')
///          if free < tonumber(ARGV[1]) then return {0} end
///          return {1, redis.call('DECRBY', KEYS[1], ARGV[1])}",
///     )
/// });
///
/// /// Returns the number of seats left; `None` if too few are free.
/// async fn take(redis: &Redis, concert: &str, seats: u64) -> Result<Option<i64>, RedisError> {
///     let free = format!("free:{concert}");
///     let reply = redis.run(&TAKE, &[&free], &[ScriptArg::Number(seats)]).await?;
///     Ok(reply.get(1).copied())
/// }
/// ```
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
