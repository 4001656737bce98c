//! SQLite in a file, the default: one writer, any number of readers (write-ahead log).

use std::{path::Path, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{BoxFuture, Database, Db, Statement, StoreError, Transaction, db::Connections, migrations::GATEWAY};

/// The books in a file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Sqlite {
    /// Opens the file, or makes it, and applies the migrations that it lacks.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, is no database, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        migrator(path).await?.migrate(&[GATEWAY]).await?;
        Self::open_as_it_is(path).await
    }

    /// Opens the file, whose shape has been seen to.
    pub(super) async fn open_as_it_is(path: &Path) -> Result<Self, StoreError> {
        let writer = pool(path, 1).await?;
        let readers = SqlitePoolOptions::new().max_connections(4).connect_with(options(path).read_only(true)).await;
        Ok(Self { writer, readers: readers.map_err(|error| unopened(path, &error))? })
    }
}

/// What migrates the file, which is made if it is not there.
pub(super) async fn migrator(path: &Path) -> Result<Db, StoreError> {
    Ok(Db(Connections::Sqlite(pool(path, 1).await?)))
}

/// Connections that are made when they are asked for.
pub(super) fn on_demand(path: &Path) -> Db {
    Db(Connections::Sqlite(SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options(path))))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What is acknowledged is on disk, also when the power fails.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(4))
}

async fn pool(path: &Path, connections: u32) -> Result<SqlitePool, StoreError> {
    let pool = SqlitePoolOptions::new().max_connections(connections).connect_with(options(path)).await;
    pool.map_err(|error| unopened(path, &error))
}

fn unopened(path: &Path, error: &sqlx::Error) -> StoreError {
    StoreError::away(format!("`{}` cannot be opened: {error}", path.display()))
}

impl Database for Sqlite {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async {
            let transaction = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(unchanged)?;
            Ok(Box::new(Write(transaction)) as _)
        })
    }

    fn read<'a>(
        &'a self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let query = sqlx::query_scalar(statement.sqlite).bind(argument);
        Box::pin(async { query.fetch_all(&self.readers).await.map_err(unchanged) })
    }
}

struct Write(sqlx::Transaction<'static, sqlx::Sqlite>);

impl Transaction for Write {
    fn run<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let query = sqlx::query_scalar(statement.sqlite).bind(argument);
        Box::pin(async { query.fetch_all(&mut *self.0).await.map_err(unchanged) })
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        // SQLite says of a commit that failed that it failed.
        Box::pin(async { self.0.commit().await.map_err(unchanged) })
    }
}

fn unchanged(error: sqlx::Error) -> StoreError {
    StoreError::of_statement("SQLite", &error, is_refusal)
}

/// Whether a result code (<https://sqlite.org/rescode.html>) is about the statement, and would be the same again: an error
/// in it, a constraint, a value too large, of another type or out of range. The others are about the file.
fn is_refusal(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 1 | 18 | 19 | 20 | 25))
}
