//! SQLite in a file, the default: one writer, any number of readers (write-ahead log).
//!
//! Requests and charges are written first to staging tables, `latest_requests` and
//! `latest_charges`, which have no indexes. They are merged into the indexed tables some two
//! thousand rows at a time, or before a statement reads them.
//!
//! Writes run on the thread of the store writer, which has one of its own: for the few statements
//! of a batch, `sqlx` would exchange wake-ups with its own thread for each of them, which cost more
//! than the statements.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, ToSql,
    types::{ToSqlOutput, ValueRef},
};
use sqlx::{
    AssertSqlSafe, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard, oneshot},
    task::JoinHandle,
};

use crate::store::{
    BoxFuture, Database, Db, Statement, StoreError, Table, Transaction, Value,
    commit::COMMIT_TIMEOUT,
    db::Connections,
    migrations::GATEWAY,
    sql::{
        glance::Glance,
        statements::{CHARGES, REQUESTS},
        wal,
    },
};

/// A store in a file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: Arc<Mutex<SqliteWriter>>,
    readers: SqlitePool,
    glance: Glance,
}

/// The statements that merge the staging tables into the indexed tables.
static MERGE_STAGING: LazyLock<Vec<String>> = LazyLock::new(|| {
    [&REQUESTS, &CHARGES].into_iter().filter_map(|table| table.merge()).flatten().collect()
});

/// The only connection that writes.
#[derive(Debug)]
struct SqliteWriter {
    connection: Connection,
    /// The number of rows in the staging tables.
    latest: usize,
    /// Whether the last transaction failed for lack of room.
    is_full: bool,
}

impl SqliteWriter {
    /// Makes room in the write-ahead log after a transaction that had none: SQLite's own checkpoint
    /// follows only a commit.
    fn make_room(&mut self) {
        if std::mem::take(&mut self.is_full)
            && let Err(error) = wal::checkpoint(&self.connection)
        {
            tracing::debug!(%error, "no room for a checkpoint");
        }
    }

    /// Converts an error, and notes a lack of room.
    fn failed(&mut self, error: rusqlite::Error) -> StoreError {
        let error = unwritten(error);
        self.is_full |= error.is_full();
        error
    }

    fn execute(&mut self, sql: &str) -> Result<(), StoreError> {
        execute(&self.connection, sql).map_err(|error| self.failed(error))
    }

    /// Returns whether the staging tables have rows.
    fn has_latest(&self) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM latest_requests) \
            OR EXISTS (SELECT 1 FROM latest_charges)";
        self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
    }
}

/// The number of staged rows at which they are merged.
const MERGE_BATCH: usize = 2048;

impl Sqlite {
    /// Opens the file, or creates it, and applies the missing migrations.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened, is no database, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        migrator(path).await?.migrate(&[GATEWAY]).await?;
        Self::open_as_it_is(path).await
    }

    /// Opens the file, whose migrations must be applied.
    pub(in crate::store) async fn open_as_it_is(path: &Path) -> Result<Self, StoreError> {
        // The pool also switches the file to a write-ahead log.
        pool(path, 1).await?.close().await;
        let connection = writer(path).map_err(|error| unopened(path, &error))?;
        let latest = connection.query_row(
            "SELECT (SELECT count(*) FROM latest_requests) + (SELECT count(*) FROM latest_charges)",
            [],
            |row| row.get::<_, u32>(0),
        );
        let latest = latest.map_err(|error| unopened(path, &error))?;
        let readers = readers().connect_with(options(path).read_only(true)).await;
        let readers = readers.map_err(|error| unopened(path, &error))?;
        Ok(Self {
            writer: Arc::new(Mutex::new(SqliteWriter {
                connection,
                latest: latest as usize,
                is_full: false,
            })),
            readers,
            glance: Glance::new(path),
        })
    }
}

/// Returns the connection for migrations of the file, which is created if it does not exist.
pub(in crate::store) async fn migrator(path: &Path) -> Result<Db, StoreError> {
    Ok(Db(Connections::Sqlite(pool(path, 1).await?, Glance::new(path))))
}

/// Returns connections that are opened on first use.
pub(in crate::store) fn lazy(path: &Path) -> Db {
    let pool = SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options(path));
    Db(Connections::Sqlite(pool, Glance::new(path)))
}

/// The time that another process may block writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(4);

fn options(path: &Path) -> SqliteConnectOptions {
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
fn readers() -> SqlitePoolOptions {
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

async fn pool(path: &Path, connections: u32) -> Result<SqlitePool, StoreError> {
    create_private(path).map_err(|error| unopened(path, &error))?;
    let pool =
        SqlitePoolOptions::new().max_connections(connections).connect_with(options(path)).await;
    pool.map_err(|error| unopened(path, &error))
}

/// Opens the writing connection with the settings of `options`.
fn writer(path: &Path) -> rusqlite::Result<Connection> {
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

fn unopened(path: &Path, error: &dyn std::error::Error) -> StoreError {
    StoreError::unavailable(format!("`{}` cannot be opened: {error}", path.display()))
}

impl Database for Sqlite {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async {
            let mut writer = Arc::clone(&self.writer).lock_owned().await;
            writer.make_room();
            Ok(Box::new(SqliteBatch::begin(writer)?) as _)
        })
    }

    fn read<'a>(
        &'a self,
        statement: &'a Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        if statement.is_polled
            && let Some(rows) = self.glance.read(&statement.sqlite, argument)
        {
            return Box::pin(std::future::ready(Ok(rows)));
        }
        let query = sqlx::query_scalar(AssertSqlSafe(statement.sqlite.clone()))
            .bind(argument)
            .persistent(!statement.is_dynamic());
        Box::pin(async {
            if statement.reads_staging {
                self.merge_staging().await?;
            }
            query.fetch_all(&self.readers).await.map_err(unread)
        })
    }

    /// Spawns the store writer on a thread of its own, because writes wait for the disk.
    fn spawn_writer(&self, writer: BoxFuture<'static, ()>) -> JoinHandle<()> {
        let (ended, end) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let thread = runtime.and_then(|runtime| {
            std::thread::Builder::new().name("books".to_owned()).spawn(move || {
                runtime.block_on(writer);
                drop(ended);
            })
        });
        if let Err(error) = thread {
            tracing::error!(%error, "there is no thread for the books, so nothing can be written");
        }
        tokio::spawn(async { drop(end.await) })
    }

    fn has_writer_thread(&self) -> bool {
        true
    }
}

impl Sqlite {
    /// Merges the staging tables into the indexed tables.
    ///
    /// # Errors
    ///
    /// Fails if the staged rows cannot be merged: a read would then be incomplete.
    async fn merge_staging(&self) -> Result<(), StoreError> {
        let writer = Arc::clone(&self.writer);
        let indexed = tokio::task::spawn_blocking(move || {
            let mut writer = writer.blocking_lock_owned();
            writer.make_room();
            // Another process may have written as well, so the tables are read and not the counter.
            // Nothing is written if nothing is staged, which works on a full disk too.
            if !writer.has_latest().map_err(unwritten)? {
                return Ok(());
            }
            let mut all = SqliteBatch::begin(writer)?;
            all.merge_staging()?;
            all.end()
        });
        indexed.await.unwrap_or_else(|error| Err(StoreError::unavailable(error.to_string())))
    }
}

/// A transaction; each of its steps runs at once, on the calling thread.
struct SqliteBatch {
    writer: OwnedMutexGuard<SqliteWriter>,
    is_open: bool,
    /// The number of staged rows after the commit.
    latest: usize,
}

impl SqliteBatch {
    fn begin(mut writer: OwnedMutexGuard<SqliteWriter>) -> Result<Self, StoreError> {
        writer.execute("BEGIN IMMEDIATE")?;
        let latest = writer.latest;
        Ok(Self { writer, is_open: true, latest })
    }

    /// Merges the staging tables into the indexed tables.
    fn merge_staging(&mut self) -> Result<(), StoreError> {
        for sql in &*MERGE_STAGING {
            self.writer.execute(sql)?;
        }
        self.latest = 0;
        Ok(())
    }

    fn end(&mut self) -> Result<(), StoreError> {
        if self.latest >= MERGE_BATCH {
            self.merge_staging()?;
        }
        self.writer.execute("COMMIT")?;
        // A failed COMMIT leaves the transaction open.
        self.is_open = false;
        self.writer.latest = self.latest;
        Ok(())
    }
}

impl Transaction for SqliteBatch {
    fn run<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let indexed = if statement.reads_staging { self.merge_staging() } else { Ok(()) };
        let rows = indexed.and_then(|()| {
            let rows = rows(&self.writer.connection, &statement.sqlite, argument);
            rows.map_err(|error| self.writer.failed(error))
        });
        Box::pin(std::future::ready(rows))
    }

    fn insert<'a>(
        &'a mut self,
        table: &'static Table,
        values: &'a [Value<'a>],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let inserted = insert(&self.writer.connection, table, values);
        let inserted = inserted.map_err(|error| self.writer.failed(error));
        if table.staging.is_some() {
            self.latest += values.len() / table.columns.len();
        }
        Box::pin(std::future::ready(inserted))
    }

    fn delete<'a>(
        &'a mut self,
        table: &'static Table,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        let deleted = delete(&self.writer.connection, table, keys);
        let deleted = deleted.map_err(|error| self.writer.failed(error));
        Box::pin(std::future::ready(deleted))
    }

    fn commit(mut self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(std::future::ready(self.end()))
    }
}

impl Drop for SqliteBatch {
    fn drop(&mut self) {
        // Some errors end the transaction; then there is nothing to roll back.
        if self.is_open && !self.writer.connection.is_autocommit() {
            let _ = execute(&self.writer.connection, "ROLLBACK");
        }
    }
}

fn rows(connection: &Connection, sql: &str, argument: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached(sql)?.query_map([argument], |row| row.get(0))?.collect()
}

fn insert(connection: &Connection, table: &Table, values: &[Value<'_>]) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(table.insert_one())?;
    for row in values.chunks(table.columns.len()) {
        for (at, value) in row.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, value)?;
        }
        statement.raw_execute()?;
    }
    Ok(())
}

fn delete(connection: &Connection, table: &Table, keys: &[&str]) -> rusqlite::Result<Vec<bool>> {
    let mut statement = connection.prepare_cached(table.delete_one())?;
    keys.iter().map(|key| Ok(statement.execute([key])? > 0)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Boolean(truth) => ValueRef::Integer((*truth).into()),
        }))
    }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn unread(error: sqlx::Error) -> StoreError {
    StoreError::of_code(
        format!("SQLite: {error}"),
        error
            .as_database_error()
            .is_some_and(|e| e.code().and_then(|code| code.parse().ok()).is_some_and(is_refusal)),
    )
}

fn unwritten(error: rusqlite::Error) -> StoreError {
    let code = error.sqlite_error().map_or(0, |error| error.extended_code);
    let message = format!("SQLite: {error}");
    match code {
        rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
            StoreError::duplicate(message)
        }
        // SHMSIZE: no room for the index of the write-ahead log.
        code if code & 0xff == rusqlite::ffi::SQLITE_FULL
            || code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE =>
        {
            StoreError::full(message)
        }
        code if matches!(
            code & 0xff,
            rusqlite::ffi::SQLITE_BUSY | rusqlite::ffi::SQLITE_LOCKED
        ) =>
        {
            StoreError::locked(message)
        }
        code => StoreError::of_code(message, is_refusal(code)),
    }
}

/// Returns whether a result code (<https://sqlite.org/rescode.html>) is about the statement, so
/// that it would fail again: an error in the statement, a constraint, a value that is too large, of
/// another type or out of range. All others are about the file.
fn is_refusal(code: i32) -> bool {
    matches!(code & 0xff, 1 | 18 | 19 | 20 | 25)
}
