//! Connections to a server.

use std::{fmt, str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use crate::{
    base::secret::Secret,
    store::{Db, StoreError, db::Connections},
};

/// The longest wait for a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Returns the connection for migrations. A step has no time limit, and another process that
/// migrates is waited for; but a step waits at most 30 s for a lock, because its wait blocks the
/// other users of the table.
pub(in crate::store) async fn migrator(url: &Secret) -> Result<Db, StoreError> {
    let options = options(url)?.options([("statement_timeout", "0"), ("lock_timeout", "30s")]);
    Ok(Db(Connections::Postgres(pooled(options, 1).await?)))
}

/// Returns connections that are opened on first use.
pub(in crate::store) fn lazy(url: &Secret, connections: u32) -> Result<Db, StoreError> {
    Ok(Db(Connections::Postgres(pool_options(connections).connect_lazy_with(options(url)?))))
}

pub(super) fn options(url: &Secret) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url.expose())
        // The error would repeat the URL, which includes the password.
        .map_err(|_| {
            StoreError::rejected(
                "invalid URL of PostgreSQL\nhelp: write `postgres://user@host/database`",
            )
        })?
        .application_name("gateway");
    // No caller still waits for an answer after these limits.
    Ok(options.options([
        ("jit", "off"),
        ("statement_timeout", "5s"),
        ("lock_timeout", "4s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ]))
}

fn pool_options(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(connections).acquire_timeout(CONNECT_TIMEOUT)
}

/// Creates a pool and opens its first connection: the pool alone would report an unreachable server
/// only as a timeout.
pub(super) async fn pooled(
    options: PgConnectOptions,
    connections: u32,
) -> Result<PgPool, StoreError> {
    let unreachable = |error: &dyn fmt::Display| {
        let host = options.get_host();
        let port = options.get_port();
        let user = options.get_username();
        let address = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{host}:{port}"),
        };
        let database = options.get_database().unwrap_or(user);
        StoreError::unavailable(format!(
            "PostgreSQL at {address} (user `{user}`, database `{database}`) cannot be reached: \
             {error}\n\
             help: start it, or correct `store.url`"
        ))
    };
    let first = timeout(CONNECT_TIMEOUT, options.connect())
        .await
        .map_err(|_| unreachable(&"no reply in time"))?;
    first
        .map_err(|error| unreachable(&error))?
        .close()
        .await
        .map_err(|error| unreachable(&error))?;
    Ok(pool_options(connections).connect_lazy_with(options))
}
