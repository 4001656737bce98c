//! PostgreSQL, for several gateways that share a store.
//!
//! The store writer's transactions have a connection of their own. A pool would test it before and
//! after each of them, which costs two round trips; a connection that has ended is detected by its
//! `BEGIN`, and replaced.

mod write;

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use crate::{
    base::secret::Secret,
    store::{
        BoxFuture, Database, Db, Statement, StoreError, Transaction,
        db::Connections,
        migrations::GATEWAY,
        sql::postgres::write::{PostgresBatch, PostgresWriter},
    },
};

/// The longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// A store on a server.
#[derive(Clone, Debug)]
pub struct Postgres {
    writer: Arc<PostgresWriter>,
    readers: PgPool,
}

impl Postgres {
    /// Connects to `url` (`postgres://user:password@host/database`), and applies the missing
    /// migrations.
    ///
    /// # Errors
    ///
    /// Fails if the server cannot be reached, rejects the credentials, or holds a database of a
    /// newer version.
    pub async fn connect(url: &Secret, connections: u32) -> Result<Self, StoreError> {
        migrator(url).await?.migrate(&[GATEWAY]).await?;
        Self::connect_unmigrated(url, connections).await
    }

    /// Connects to a database whose migrations must be applied.
    pub(in crate::store) async fn connect_unmigrated(
        url: &Secret,
        connections: u32,
    ) -> Result<Self, StoreError> {
        let options = options(url)?;
        let readers = pooled(options.clone(), connections.saturating_sub(1).max(1)).await?;
        Ok(Self { writer: Arc::new(PostgresWriter::new(options)), readers })
    }
}

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

fn options(url: &Secret) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url.expose())
        // The error would repeat the URL, which includes the password.
        .map_err(|_| {
            StoreError::rejected(
                "the URL of PostgreSQL is not like `postgres://user@host/database`",
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
async fn pooled(options: PgConnectOptions, connections: u32) -> Result<PgPool, StoreError> {
    let away = |error: &dyn fmt::Display| {
        let (host, port, user) = (options.get_host(), options.get_port(), options.get_username());
        let place = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{host}:{port}"),
        };
        let database = options.get_database().unwrap_or(user);
        StoreError::unavailable(format!(
            "PostgreSQL at {place} (user `{user}`, database `{database}`) cannot be reached: \
             {error}\n\
             help: start it, or correct `store.url`"
        ))
    };
    let first = timeout(CONNECT_TIMEOUT, options.connect())
        .await
        .map_err(|_| away(&"it did not answer in time"))?;
    first.map_err(|error| away(&error))?.close().await.map_err(|error| away(&error))?;
    Ok(pool_options(connections).connect_lazy_with(options))
}

impl Database for Postgres {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async { Ok(Box::new(PostgresBatch::begin(&self.writer).await?) as _) })
    }

    fn read<'a>(
        &'a self,
        statement: &'a Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let query = sqlx::query_scalar(AssertSqlSafe(statement.postgres.clone()))
            .bind(argument)
            .persistent(!statement.is_dynamic());
        Box::pin(async { query.fetch_all(&self.readers).await.map_err(map_error) })
    }
}

fn map_error(error: sqlx::Error) -> StoreError {
    let message = format!("PostgreSQL: {error}");
    match error.as_database_error() {
        Some(error) if error.is_unique_violation() => StoreError::duplicate(message),
        Some(error) => match &*error.code().unwrap_or_default() {
            // The SQLSTATEs `disk_full` and `lock_not_available`.
            "53100" => StoreError::full(message),
            "55P03" => StoreError::locked(message),
            code => StoreError::of_code(message, is_refusal(code)),
        },
        None => StoreError::unavailable(message),
    }
}

/// Returns whether a SQLSTATE is about the statement, so that it would fail again: data exceptions,
/// constraints, errors in the statement. All others are about the server.
fn is_refusal(code: &str) -> bool {
    ["22", "23", "42"].iter().any(|class| code.starts_with(class))
}
