//! A server of Redis, at the end of one connection that is made anew when it is lost.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, LazyLock, Weak},
    time::{Duration, Instant},
};

use bytes::Bytes;
use redis::{
    Client, Cmd, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisWrite, ToRedisArgs,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};
use tokio::runtime::Handle;

use super::{Arg, RedisError, RedisSettings, gate::Gate};
use crate::secret::Secret;

/// How long after an answer that did not come the server is asked again.
const PAUSE: Duration = Duration::from_millis(100);
/// A connection over which nothing is acknowledged for so long is given up: its other end has vanished.
const SILENCE: Duration = Duration::from_secs(5);
/// So many commands wait to be written before their callers do.
const QUEUE: usize = 1024;

/// A connection to Redis; clones share it.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    connection: ConnectionManager,
    gate: Gate,
    prefix: String,
    timeout: Duration,
    /// Where the connection lives: a worker that ends must not take it along.
    home: Handle,
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
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then return {redis.call('DEL', KEYS[1])} end return {0}")
});

impl Redis {
    /// Connects to `url`; what lives on for the connection does so on the runtime of the caller.
    ///
    /// # Errors
    ///
    /// When it cannot be reached, or does not let us in.
    pub async fn connect(url: &Secret, settings: &RedisSettings) -> Result<Self, RedisError> {
        // An error means that the program has chosen another provider of cryptography; that one is used then.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::open(address(url)?).map_err(|error| unreachable_server(&error))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            // Each command has our own time limit, which also holds while it waits to be written.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE)
            // Whoever asks in vain has asked for the next connection, and pauses himself.
            .set_number_of_retries(0);
        let connecting = ConnectionManager::new_with_config(client, config);
        let connection = connecting.await.map_err(|error| unreachable_server(&error))?;
        let (prefix, timeout, home) = (settings.prefix.clone(), settings.timeout, Handle::current());
        let redis = Self(Arc::new(Inner { connection, gate: Gate::default(), prefix, timeout, home }));
        redis.0.ping().await.map_err(|error| RedisError { message: unreachable_text(&error), ..error })?;
        Ok(redis)
    }

    /// Whether it did not answer when it was last asked. Until it does, everything fails at once.
    #[must_use]
    pub fn is_away(&self) -> bool {
        self.0.gate.is_closed()
    }

    /// The runtime of the connection, for tasks that are to outlive a worker.
    #[must_use]
    pub fn home(&self) -> &Handle {
        &self.0.home
    }

    /// The value of a key.
    ///
    /// # Errors
    ///
    /// When Redis is away.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, RedisError> {
        self.query(redis::cmd("GET").arg(self.0.key(key))).await
    }

    /// Sets a key for `ttl`, in whole milliseconds.
    ///
    /// # Errors
    ///
    /// When Redis is away, or full.
    pub async fn set(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), RedisError> {
        self.query(redis::cmd("SET").arg(self.0.key(key)).arg(value).arg("PX").arg(millis(ttl))).await
    }

    /// Sets a key for `ttl` if it has no value yet: a lock, say. False when it has one.
    ///
    /// # Errors
    ///
    /// When Redis is away, or full.
    pub async fn set_new(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool, RedisError> {
        let key = self.0.key(key);
        let set: Option<()> =
            self.query(redis::cmd("SET").arg(key).arg(value).arg("NX").arg("PX").arg(millis(ttl))).await?;
        Ok(set.is_some())
    }

    /// Deletes a key. False when there was none.
    ///
    /// # Errors
    ///
    /// When Redis is away.
    pub async fn delete(&self, key: &str) -> Result<bool, RedisError> {
        self.query(redis::cmd("DEL").arg(self.0.key(key))).await
    }

    /// Deletes a key if it still has this value: a lock that may have passed to somebody else.
    ///
    /// # Errors
    ///
    /// When Redis is away.
    pub async fn delete_if(&self, key: &str, value: &[u8]) -> Result<bool, RedisError> {
        let (key, mut invocation) = (self.0.key(key), DELETE_IF.0.prepare_invoke());
        invocation.key(key).arg(value);
        Ok(self.0.within(invocation.invoke_async::<Vec<i64>>(&mut self.0.connection.clone())).await? == [1])
    }

    /// Runs a script, which is one atomic step and returns a list of whole numbers. Keys of one script carry one hash tag
    /// (`{…}`), so that they are in one slot of a cluster.
    ///
    /// # Errors
    ///
    /// When Redis is away, or the script fails.
    pub async fn run(&self, script: &Script, keys: &[&str], arguments: &[Arg<'_>]) -> Result<Vec<i64>, RedisError> {
        let mut invocation = script.0.prepare_invoke();
        for key in keys {
            invocation.key(self.0.key(key));
        }
        invocation.arg(arguments);
        self.0.within(invocation.invoke_async(&mut self.0.connection.clone())).await
    }

    async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        self.0.within(command.query_async(&mut self.0.connection.clone())).await
    }
}

impl Inner {
    fn key(&self, key: &str) -> String {
        format!("{}:{key}", self.prefix)
    }

    /// Waits for a command's answer, if any can be expected.
    async fn within<T>(self: &Arc<Self>, asking: impl Future<Output = redis::RedisResult<T>>) -> Result<T, RedisError> {
        if self.gate.is_closed() {
            return Err(RedisError::unasked());
        }
        let answer = self.ask(asking).await;
        if let Err(error) = &answer
            && error.is_away()
            && self.gate.close(&error.message)
        {
            self.home.spawn(ask_until_it_answers(Arc::downgrade(self), Instant::now()));
        }
        answer
    }

    async fn ask<T>(&self, asking: impl Future<Output = redis::RedisResult<T>>) -> Result<T, RedisError> {
        match tokio::time::timeout(self.timeout, at_home(&self.home, asking)).await {
            Ok(answer) => answer.map_err(|error| classified(&error)),
            Err(_) => Err(RedisError::away("Redis did not answer in time")),
        }
    }

    async fn ping(&self) -> Result<(), RedisError> {
        self.ask(redis::cmd("PING").exec_async(&mut self.connection.clone())).await
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("prefix", &self.0.prefix).field("gate", &self.0.gate).finish_non_exhaustive()
    }
}

impl ToRedisArgs for Arg<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        match self {
            Self::Number(number) => number.write_redis_args(out),
            Self::Text(text) => text.write_redis_args(out),
        }
    }
}

/// Polls a future as if on the runtime of the connection: what the library spawns when it connects anew lives there.
async fn at_home<F: Future>(home: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _home = home.enter();
        future.as_mut().poll(context)
    })
    .await
}

async fn ask_until_it_answers(inner: Weak<Inner>, since: Instant) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let Some(inner) = inner.upgrade() else { return };
        // A refusal (it loads its data, say) is no answer to those who wait for one.
        if inner.ping().await.is_ok() {
            return inner.gate.open(since);
        }
    }
}

fn address(url: &Secret) -> Result<ConnectionInfo, RedisError> {
    // The error would repeat parts of the URL, and with them the password.
    let info = url.expose().into_connection_info().map_err(|_| {
        RedisError::refused(
            "`url` is not like `redis://user:password@host:6379/0`, `rediss://…` or `redis+unix:///path`: write what is special \
             in a password percent-encoded",
        )
    })?;
    let tcp = TcpSettings::default().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(SILENCE).set_keepalive(socket2::TcpKeepalive::new().with_time(SILENCE));
    Ok(info.set_tcp_settings(tcp))
}

fn millis(ttl: Duration) -> u64 {
    // Zero is an error to Redis, and no time to us.
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn classified(error: &redis::RedisError) -> RedisError {
    let message = format!("Redis: {error}");
    if error.is_io_error() || error.is_unrecoverable_error() {
        RedisError::away(message)
    } else {
        RedisError::refused(message)
    }
}

fn unreachable_server(error: &redis::RedisError) -> RedisError {
    let error = classified(error);
    RedisError { message: unreachable_text(&error), ..error }
}

fn unreachable_text(error: &RedisError) -> std::borrow::Cow<'static, str> {
    format!("cannot be reached or does not let us in ({error}): start it, or correct `url` (or `host`, `port`, `db`)")
        .into()
}
