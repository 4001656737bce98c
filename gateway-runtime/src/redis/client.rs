//! What can be asked of Redis.

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use redis::{Cmd, FromRedisValue, RedisWrite, ToRedisArgs};
use tokio::runtime::Handle;

use crate::{
    base::secret::Secret,
    redis::{RedisError, RedisSettings, ScriptArg, connection::RedisConnection},
};

/// A connection to Redis; clones share it.
///
/// As a field or an argument of services and providers it is that of `[redis]`, with keys that are not the gateway's
/// own.
#[derive(Clone)]
pub struct Redis {
    connection: Arc<RedisConnection>,
    prefix: Arc<str>,
}

/// A Lua script, sent once to each server and from then on called by its SHA-1.
#[derive(Debug)]
pub struct Script(redis::Script);

impl Script {
    /// The script of a text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(redis::Script::new(text))
    }
}

/// Deletes a key that still has a value: a lock is given back by who has it.
static DELETE_IF: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return {redis.call('DEL', KEYS[1])} end return {0}",
    )
});

impl Redis {
    /// Connects to `url`; what lives on for the connection does so on the runtime of the caller.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or does not let us in.
    pub async fn connect(url: &Secret, settings: &RedisSettings) -> Result<Self, RedisError> {
        Ok(Self {
            connection: RedisConnection::open(url, settings).await?,
            prefix: settings.prefix.as_str().into(),
        })
    }

    /// Whether it did not answer when it was last asked. Until it does, everything fails at once.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.connection.gate().is_closed()
    }

    /// The runtime of the connection, for tasks that are to outlive a worker.
    pub(crate) fn runtime(&self) -> &Handle {
        self.connection.home()
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// When Redis is away.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, RedisError> {
        self.query(redis::cmd("GET").arg(self.key(key))).await
    }

    /// Sets a key for `ttl`, in whole milliseconds.
    ///
    /// # Errors
    ///
    /// When Redis is away, or full.
    pub async fn set(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), RedisError> {
        self.query(redis::cmd("SET").arg(self.key(key)).arg(value).arg("PX").arg(millis(ttl))).await
    }

    /// Sets a key for `ttl` if it has no value yet: a lock, say. False when it has one.
    ///
    /// # Errors
    ///
    /// When Redis is away, or full.
    pub async fn set_new(
        &self,
        key: &str,
        value: &[u8],
        ttl: Duration,
    ) -> Result<bool, RedisError> {
        let key = self.key(key);
        let set: Option<()> = self
            .query(redis::cmd("SET").arg(key).arg(value).arg("NX").arg("PX").arg(millis(ttl)))
            .await?;
        Ok(set.is_some())
    }

    /// Deletes a key. False when there was none.
    ///
    /// # Errors
    ///
    /// When Redis is away.
    pub async fn delete(&self, key: &str) -> Result<bool, RedisError> {
        self.query(redis::cmd("DEL").arg(self.key(key))).await
    }

    /// Deletes a key if it still has this value: a lock that may have passed to somebody else.
    ///
    /// # Errors
    ///
    /// When Redis is away.
    pub async fn delete_if(&self, key: &str, value: &[u8]) -> Result<bool, RedisError> {
        let (key, mut invocation) = (self.key(key), DELETE_IF.0.prepare_invoke());
        invocation.key(key).arg(value);
        Ok(self
            .connection
            .with_timeout(invocation.invoke_async::<Vec<i64>>(&mut self.connection.manager()))
            .await?
            == [1])
    }

    /// Runs a script, which is one atomic step and returns a list of whole numbers. Keys of one script carry one hash
    /// tag (`{…}`), so that they are in one slot of a cluster.
    ///
    /// # Errors
    ///
    /// When Redis is away, or the script fails.
    pub async fn run(
        &self,
        script: &Script,
        keys: &[&str],
        arguments: &[ScriptArg<'_>],
    ) -> Result<Vec<i64>, RedisError> {
        let mut invocation = script.0.prepare_invoke();
        for key in keys {
            invocation.key(self.key(key));
        }
        invocation.arg(arguments);
        self.connection.with_timeout(invocation.invoke_async(&mut self.connection.manager())).await
    }

    async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        self.connection.with_timeout(command.query_async(&mut self.connection.manager())).await
    }

    /// The same with keys that nothing of the gateway's has.
    pub(crate) fn for_authors(&self) -> Self {
        Self {
            connection: Arc::clone(&self.connection),
            prefix: format!("{}:own", self.prefix).into(),
        }
    }

    fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("prefix", &self.prefix)
            .field("gate", self.connection.gate())
            .finish_non_exhaustive()
    }
}

impl ToRedisArgs for ScriptArg<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        match self {
            Self::Number(number) => number.write_redis_args(out),
            Self::Text(text) => text.write_redis_args(out),
        }
    }
}

fn millis(ttl: Duration) -> u64 {
    // Zero is an error to Redis, and no time to us.
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}
