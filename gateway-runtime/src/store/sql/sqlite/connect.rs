//! Connections to a file: of the pools, and the one that writes.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use sqlx::{
    SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::store::{
    Db, StoreError,
    db::Connections,
    sql::sqlite::{polled_reader::PolledReader, wal},
    time_limit::COMMIT_TIMEOUT,
};

/// Returns the connection for migrations of the file, which is created if it does not exist.
pub(in crate::store) async fn migrator(path: &Path) -> Result<Db, StoreError> {
    Ok(Db(Connections::Sqlite(pool(path, 1).await?, PolledReader::new(path))))
}

/// Returns connections that are opened on first use.
pub(in crate::store) fn lazy(path: &Path) -> Db {
    let pool = SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options(path));
    Db(Connections::Sqlite(pool, PolledReader::new(path)))
}

/// The time that another process may block writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(4);

pub(super) fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged commit is on disk, also after a power failure.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("wal_autocheckpoint", wal::pages(path).to_string())
}

/// Returns options of connections whose reads are limited in time: the write-ahead log cannot
/// restart while a reader needs it.
pub(super) fn readers() -> SqlitePoolOptions {
    async fn limit(connection: &mut SqliteConnection) -> sqlx::Result<()> {
        let end = Instant::now() + COMMIT_TIMEOUT;
        connection
            .lock_handle()
            .await?
            .set_progress_handler(INTERRUPT_STEPS, move || Instant::now() < end);
        Ok(())
    }
    SqlitePoolOptions::new()
        .max_connections(4)
        .after_connect(|connection, _| Box::pin(limit(connection)))
        .before_acquire(|connection, _| Box::pin(async { limit(connection).await.map(|()| true) }))
}

/// The steps of SQLite's virtual machine between two checks of the clock, a fraction of a
/// millisecond.
const INTERRUPT_STEPS: i32 = 10_000;

/// Creates the file, if it does not exist, readable by its owner only. The files beside it (`-wal`,
/// `-shm`) get the same mode from SQLite.
fn create_private(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

pub(super) async fn pool(path: &Path, connections: u32) -> Result<SqlitePool, StoreError> {
    create_private(path).map_err(|error| unopened(path, &error))?;
    let pool =
        SqlitePoolOptions::new().max_connections(connections).connect_with(options(path)).await;
    pool.map_err(|error| unopened(path, &error))
}

/// Opens the writing connection with the settings of `options`.
pub(super) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // A call's rows refer to a balance that the same transaction has just found; a second look-up
    // would only cost time.
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "synchronous", "full")?;
    let pages = wal::pages(path);
    connection.pragma_update(None, "wal_autocheckpoint", pages)?;
    connection.pragma_update(None, "journal_size_limit", wal::bytes(pages))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

pub(super) fn unopened(path: &Path, error: &dyn std::error::Error) -> StoreError {
    StoreError::unavailable(format!("`{}` cannot be opened: {error}", path.display()))
}
