//! The connection: made anew when it is lost, asked by one task alone while there is no answer, exchanged when the
//! server at its end may not do any more what is asked for.

use std::{
    borrow::Cow,
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

/// How long after an answer that did not come the server is asked again.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);
/// A connection over which nothing is acknowledged for so long is given up: its other end has vanished.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(5);
/// So many commands wait to be written before their callers do.
const MAX_QUEUED_COMMANDS: usize = 1024;

pub(crate) struct RedisConnection {
    manager: ArcSwap<ConnectionManager>,
    client: Client,
    config: ConnectionManagerConfig,
    gate: Reachability,
    /// What is written to see whether the server takes it.
    probe_key: String,
    timeout: Duration,
    /// Where the connection lives: a worker that ends must not take it along.
    home: Handle,
}

impl RedisConnection {
    pub(crate) async fn open(
        url: &Secret,
        settings: &RedisSettings,
    ) -> Result<Arc<Self>, RedisError> {
        // An error means that the program has chosen another provider of cryptography; that one is used then.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client =
            Client::open(address(url)?).map_err(|error| unreachable_server(classified(&error)))?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(settings.connect_timeout))
            // Each command has our own time limit, which also holds while it waits to be written.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(MAX_QUEUED_COMMANDS)
            // Whoever asks in vain has asked for the next connection, and pauses himself.
            .set_number_of_retries(0);
        let connecting = ConnectionManager::new_with_config(client.clone(), config.clone());
        let manager = connecting.await.map_err(|error| unreachable_server(classified(&error)))?;
        let this = Self {
            manager: ArcSwap::from_pointee(manager),
            client,
            config,
            gate: Reachability::default(),
            probe_key: format!("{}:probe", settings.prefix),
            timeout: settings.timeout,
            home: Handle::current(),
        };
        this.check_writable().await.map_err(unreachable_server)?;
        Ok(Arc::new(this))
    }

    /// What commands are sent with.
    pub(crate) fn manager(&self) -> ConnectionManager {
        ConnectionManager::clone(&self.manager.load())
    }

    pub(crate) fn gate(&self) -> &Reachability {
        &self.gate
    }

    pub(crate) fn home(&self) -> &Handle {
        &self.home
    }

    /// Waits for a command's answer, if any can be expected.
    pub(crate) async fn with_timeout<T>(
        self: &Arc<Self>,
        asking: impl Future<Output = RedisResult<T>>,
    ) -> Result<T, RedisError> {
        if self.gate.is_closed() {
            return Err(RedisError::short_circuited());
        }
        let answer = self.ask(asking).await;
        if let Err(error) = &answer
            && error.is_unavailable()
            && self.gate.close(error)
        {
            self.home.spawn(probe_until_it_answers(Arc::downgrade(self), Instant::now()));
        }
        answer
    }

    async fn ask<T>(&self, asking: impl Future<Output = RedisResult<T>>) -> Result<T, RedisError> {
        match tokio::time::timeout(self.timeout, enter_runtime(&self.home, asking)).await {
            Ok(answer) => answer.map_err(|error| classified(&error)),
            Err(_) => Err(RedisError::unavailable("Redis did not answer in time")),
        }
    }

    /// Whether it takes what is written: a replica answers too.
    async fn check_writable(&self) -> Result<(), RedisError> {
        let (mut write, mut manager) = (redis::cmd("SET"), self.manager());
        self.ask(write.arg(&self.probe_key).arg("").arg("PX").arg(1000).exec_async(&mut manager))
            .await
    }

    /// Another server may have taken its place.
    async fn connect_anew(&self) {
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
            Ok(()) => return connection.gate.open(since),
            // It answers, and will not. What is lost is connected to again by itself.
            Err(error) if error.is_answer() => connection.connect_anew().await,
            Err(_) => {}
        }
    }
}

/// Polls a future as if on the runtime of the connection: what the library spawns when it connects anew lives there.
async fn enter_runtime<F: Future>(home: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _home = home.enter();
        future.as_mut().poll(context)
    })
    .await
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
    let tcp = tcp
        .set_user_timeout(TCP_USER_TIMEOUT)
        .set_keepalive(socket2::TcpKeepalive::new().with_time(TCP_USER_TIMEOUT));
    Ok(info.set_tcp_settings(tcp))
}

fn classified(error: &redis::RedisError) -> RedisError {
    let message = format!("Redis: {error}");
    match error.kind() {
        // Loading its data, or a replica since a moment ago: soon it, or another in its place, will.
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::ReadOnly
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ClusterDown,
        ) => RedisError::not_ready(message),
        _ if error.is_io_error() || error.is_unrecoverable_error() => {
            RedisError::unavailable(message)
        }
        _ => RedisError::refused(message),
    }
}

fn unreachable_server(error: RedisError) -> RedisError {
    let message: Cow<'static, str> = format!(
        "cannot be reached or does not let us in ({error}): start it, or correct `url` (or `host`, `port`, `db`)"
    )
    .into();
    RedisError { message, ..error }
}
