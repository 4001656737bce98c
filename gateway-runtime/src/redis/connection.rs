//! The connection to Redis: re-established when it is lost, probed by one task alone while the
//! server does not answer, and replaced when the server at its end no longer accepts writes.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use redis::{
    Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisResult, ServerErrorKind,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};
use tokio::runtime::Handle;

use crate::{
    base::secret::Secret,
    redis::{RedisError, RedisSettings, reachability::Reachability},
};

/// The interval of probes while the server does not answer.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);
/// The time without an acknowledgement after which a connection is closed: the other end has
/// vanished.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(5);
/// The most commands in the write queue; beyond it, callers wait.
const MAX_QUEUED_COMMANDS: usize = 1024;

pub(crate) struct RedisConnection {
    manager: ArcSwap<ConnectionManager>,
    client: Client,
    config: ConnectionManagerConfig,
    reachability: Reachability,
    /// The key that a probe writes, to test whether the server accepts writes.
    probe_key: String,
    timeout: Duration,
    /// The runtime of the connection, which must outlive each worker.
    runtime: Handle,
}

impl RedisConnection {
    pub(crate) async fn open(
        url: &Secret,
        settings: &RedisSettings,
    ) -> Result<Arc<Self>, RedisError> {
        // An error means that the program has installed another provider of cryptography, which is
        // used then.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            Client::open(address(url)?).map_err(|error| unreachable_server(classify(error)))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            // `with_timeout` limits each command, and includes its time in the write queue.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(MAX_QUEUED_COMMANDS)
            // A failed command already triggers the next connection; the probe has its own delay.
            .set_number_of_retries(0);
        let connecting = ConnectionManager::new_with_config(client.clone(), config.clone());
        let manager = connecting.await.map_err(|error| unreachable_server(classify(error)))?;
        let this = Self {
            manager: ArcSwap::from_pointee(manager),
            client,
            config,
            reachability: Reachability::default(),
            probe_key: format!("{}:probe", settings.prefix),
            timeout: settings.timeout,
            runtime: Handle::current(),
        };
        this.check_writable().await.map_err(unreachable_server)?;
        Ok(Arc::new(this))
    }

    /// Returns the handle through which commands are sent.
    pub(crate) fn manager(&self) -> ConnectionManager {
        ConnectionManager::clone(&self.manager.load())
    }

    pub(crate) fn reachability(&self) -> &Reachability {
        &self.reachability
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Waits for a command's reply within the time limit. Fails at once while the server does not
    /// answer.
    pub(crate) async fn with_timeout<T>(
        self: &Arc<Self>,
        command: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, RedisError> {
        if self.reachability.is_closed() {
            return Err(RedisError::short_circuited());
        }
        let answer = self.execute(command).await;
        if let Err(error) = &answer
            && error.is_unavailable()
            && self.reachability.close(error)
        {
            self.runtime.spawn(probe_until_it_answers(Arc::downgrade(self), Instant::now()));
        }
        answer
    }

    async fn execute<T>(
        &self,
        command: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, RedisError> {
        match tokio::time::timeout(self.timeout, enter_runtime(&self.runtime, command)).await {
            Ok(answer) => answer.map_err(classify),
            Err(_) => Err(RedisError::unavailable("Redis did not reply in time")),
        }
    }

    /// Checks that the server accepts a write: a replica answers too, but rejects it.
    async fn check_writable(&self) -> Result<(), RedisError> {
        let mut write = redis::cmd("SET");
        let mut manager = self.manager();
        self.execute(
            write.arg(&self.probe_key).arg("").arg("PX").arg(1000).exec_async(&mut manager),
        )
        .await
    }

    /// Replaces the connection, since another server may have taken this one's place.
    async fn reconnect(&self) {
        let connecting =
            ConnectionManager::new_with_config(self.client.clone(), self.config.clone());
        if let Ok(manager) = connecting.await {
            self.manager.store(Arc::new(manager));
        }
    }
}

async fn probe_until_it_answers(connection: Weak<RedisConnection>, since: Instant) {
    loop {
        tokio::time::sleep(PROBE_INTERVAL).await;
        let Some(connection) = connection.upgrade() else { return };
        match connection.check_writable().await {
            Ok(()) => return connection.reachability.open(since),
            // The server answers with an error. A lost connection, by contrast, is re-established
            // by the manager.
            Err(error) if error.is_answer() => connection.reconnect().await,
            Err(_) => {}
        }
    }
}

/// Polls a future within the runtime of the connection, so that tasks that the library spawns for a
/// new connection run there.
async fn enter_runtime<F: Future>(runtime: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _home = runtime.enter();
        future.as_mut().poll(context)
    })
    .await
}

fn address(url: &Secret) -> Result<ConnectionInfo, RedisError> {
    // The error would repeat parts of the URL, which includes the password.
    let info = url.expose().into_connection_info().map_err(|_| {
        RedisError::rejected(
            "invalid `url`\n\
             help: write `redis://user:password@host:6379/0`, `rediss://…` or \
             `redis+unix:///path`, special characters of the password percent-encoded",
        )
    })?;
    let tcp = TcpSettings::default().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let tcp = tcp
        .set_user_timeout(TCP_USER_TIMEOUT)
        .set_keepalive(socket2::TcpKeepalive::new().with_time(TCP_USER_TIMEOUT));
    Ok(info.set_tcp_settings(tcp))
}

fn classify(error: redis::RedisError) -> RedisError {
    let message = format!("Redis: {error}");
    let classified = match error.kind() {
        // The server is loading its data, or has become a replica: soon it can serve again, or
        // another server in its place.
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ReadOnly
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ClusterDown,
        ) => RedisError::not_ready(message),
        _ if error.is_io_error() || error.is_unrecoverable_error() => {
            RedisError::unavailable(message)
        }
        _ => RedisError::rejected(message),
    };
    classified.with_source(error)
}

fn unreachable_server(error: RedisError) -> RedisError {
    let message = format!(
        "cannot connect: {error}\nhelp: start Redis, or correct `url` (or `host`, `port`, `db`)"
    );
    error.with_message(message)
}
