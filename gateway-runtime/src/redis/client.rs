//! The commands of Redis that the gateway and authors can use.

use std::{
    fmt,
    sync::{Arc, LazyLock},
    time::Duration,
};

use bytes::Bytes;
use redis::{Cmd, FromRedisValue};
use tokio::runtime::Handle;

use crate::{
    base::secret::Secret,
    redis::{RedisError, RedisSettings, Script, ScriptArg, connection::RedisConnection},
};

/// A connection to Redis; clones share it.
///
/// As a field or an argument of services and providers it is the connection of `[redis]`, with a
/// prefix of keys that the gateway does not use itself.
///
/// ```
/// use std::time::Duration;
///
/// use gateway_runtime::{RequestId, prelude::*};
///
/// /// Reports, which one gateway at a time builds.
/// #[service]
/// struct Reports {
///     redis: Redis,
/// }
///
/// #[service]
/// impl Reports {
///     /// Builds the report of today.
///     #[expose_method(POST)]
///     async fn build(&self) -> Result<()> {
///         // A value of this call alone, so that it never releases the lock of another.
///         let holder = RequestId::generate();
///         let holder = holder.as_str().as_bytes();
///         if !self.redis.set_new("build", holder, Duration::from_secs(60)).await? {
///             return Err(Error::new(Code::OVERLOADED, "the report is being built; retry later"));
///         }
///         // … builds the report …
///         self.redis.delete_if("build", holder).await?;
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Redis {
    connection: Arc<RedisConnection>,
    prefix: Arc<str>,
}

/// Deletes a key if it has the given value, so that only the holder of a lock releases it.
static DELETE_IF: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[1]) == ARGV[1] then return {redis.call('DEL', KEYS[1])} end \
         return {0}",
    )
});

impl Redis {
    /// Connects to `url`. Background tasks of the connection run on the caller's runtime.
    ///
    /// A service has the gateway's connection as a field. Another program opens its own:
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use gateway_runtime::{Secret, redis::{Redis, RedisError, RedisSettings}};
    ///
    /// # async fn connect() -> Result<(), RedisError> {
    /// let settings = RedisSettings { prefix: "import".to_owned(), ..RedisSettings::default() };
    /// let redis = Redis::connect(&Secret::new("redis://127.0.0.1:6379/0"), &settings).await?;
    /// // Sets the key `import:last` for a day.
    /// redis.set("last", b"2026-12-01", Duration::from_secs(86_400)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the server cannot be reached or rejects the credentials.
    pub async fn connect(url: &Secret, settings: &RedisSettings) -> Result<Self, RedisError> {
        Ok(Self {
            connection: RedisConnection::open(url, settings).await?,
            prefix: settings.prefix.as_str().into(),
        })
    }

    /// Returns whether the last command got no answer. Until the server answers again, all commands
    /// fail at once.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.connection.reachability().is_closed()
    }

    /// Returns the runtime of the connection, for tasks that outlive a worker.
    pub(crate) fn runtime(&self) -> &Handle {
        self.connection.runtime()
    }

    /// Returns the value of a key.
    ///
    /// # Errors
    ///
    /// Fails if Redis is unavailable.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, RedisError> {
        self.query(redis::cmd("GET").arg(self.key(key))).await
    }

    /// Sets a key for `ttl`, in whole milliseconds.
    ///
    /// # Errors
    ///
    /// Fails if Redis is unavailable or full.
    pub async fn set(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), RedisError> {
        self.query(redis::cmd("SET").arg(self.key(key)).arg(value).arg("PX").arg(millis(ttl))).await
    }

    /// Sets a key for `ttl` unless it has a value, as a lock does. Returns false if it has one.
    ///
    /// # Errors
    ///
    /// Fails if Redis is unavailable or full.
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

    /// Deletes a key. Returns false if it did not exist.
    ///
    /// # Errors
    ///
    /// Fails if Redis is unavailable.
    pub async fn delete(&self, key: &str) -> Result<bool, RedisError> {
        self.query(redis::cmd("DEL").arg(self.key(key))).await
    }

    /// Deletes a key if it still has this value, such as a lock that another holder may have taken
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// Fails if Redis is unavailable.
    pub async fn delete_if(&self, key: &str, value: &[u8]) -> Result<bool, RedisError> {
        let mut invocation = DELETE_IF.0.prepare_invoke();
        invocation.key(self.key(key)).arg(value);
        Ok(self
            .connection
            .with_timeout(invocation.invoke_async::<Vec<i64>>(&mut self.connection.manager()))
            .await?
            == [1])
    }

    /// Runs a script, in one atomic step. A script returns a list of integers. Keys of one script
    /// share one hash tag (`{…}`), so that they are in one slot of a cluster.
    ///
    /// # Errors
    ///
    /// Fails if Redis is unavailable or the script fails.
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

    /// Returns the same connection for authors, with a prefix of keys that the gateway does not use
    /// itself.
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
            .field("reachability", self.connection.reachability())
            .finish_non_exhaustive()
    }
}

fn millis(ttl: Duration) -> u64 {
    // Redis rejects zero, so the shortest time is one millisecond.
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}
