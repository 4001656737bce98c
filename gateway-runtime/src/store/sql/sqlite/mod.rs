//! SQLite in a file, the default: one writer, any number of readers (write-ahead log).
//!
//! Requests and charges are written first to staging tables, `latest_requests` and
//! `latest_charges`, which have no indexes. They are merged into the indexed tables some two
//! thousand rows at a time, or before a statement reads them.
//!
//! Writes run on the thread of the store writer, which has one of its own: for the few statements
//! of a batch, `sqlx` would exchange wake-ups with its own thread for each of them, which cost more
//! than the statements.

mod batch;
mod connect;
mod error;
pub(in crate::store) mod polled_reader;
mod rows;
mod wal;
mod writer;

use std::{path::Path, sync::Arc};

use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, SqlitePool};
use tokio::{
    sync::{Mutex, oneshot},
    task::JoinHandle,
};

pub(in crate::store) use crate::store::sql::sqlite::connect::{lazy, migrator};
use crate::store::{
    Database, Statement, StoreError, Transaction,
    migrations::GATEWAY,
    sql::sqlite::{
        batch::SqliteBatch,
        connect::{options, pool, readers, unopened, writer},
        error::{unread, unwritten},
        polled_reader::PolledReader,
        writer::SqliteWriter,
    },
};

/// A store in a file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    writer: Arc<Mutex<SqliteWriter>>,
    readers: SqlitePool,
    polled: PolledReader,
}

impl Sqlite {
    /// Opens the file, or creates it, and applies the missing migrations.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be opened, is no database, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        connect::migrator(path).await?.migrate(&[GATEWAY]).await?;
        Self::open_unmigrated(path).await
    }

    /// Opens the file, whose migrations must be applied.
    pub(in crate::store) async fn open_unmigrated(path: &Path) -> Result<Self, StoreError> {
        // The pool also switches the file to a write-ahead log.
        pool(path, 1).await?.close().await;
        let connection = writer(path).map_err(|error| unopened(path, &error))?;
        let staged = connection.query_row(
            "SELECT (SELECT count(*) FROM latest_requests) + (SELECT count(*) FROM latest_charges)",
            [],
            |row| row.get::<_, u32>(0),
        );
        let staged = staged.map_err(|error| unopened(path, &error))?;
        let readers = readers().connect_with(options(path).read_only(true)).await;
        let readers = readers.map_err(|error| unopened(path, &error))?;
        Ok(Self {
            writer: Arc::new(Mutex::new(SqliteWriter {
                connection,
                staged: staged as usize,
                is_full: false,
            })),
            readers,
            polled: PolledReader::new(path),
        })
    }
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
            && let Some(rows) = self.polled.read(&statement.sqlite, argument)
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
            tracing::error!(%error, "store writer thread not started; nothing can be written");
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
        let merged = tokio::task::spawn_blocking(move || {
            let mut writer = writer.blocking_lock_owned();
            writer.make_room();
            // Another process may have written as well, so the tables are read and not the counter.
            // Nothing is written if nothing is staged, which works on a full disk too.
            if !writer.has_staged().map_err(unwritten)? {
                return Ok(());
            }
            let mut batch = SqliteBatch::begin(writer)?;
            batch.merge_staging()?;
            batch.end()
        });
        merged.await.unwrap_or_else(|error| {
            Err(StoreError::unavailable(error.to_string()).with_source(error))
        })
    }
}
