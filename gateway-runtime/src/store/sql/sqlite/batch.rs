//! Transactions of the writing connection.

use std::sync::LazyLock;

use futures_util::future::BoxFuture;
use tokio::sync::OwnedMutexGuard;

use crate::store::{
    Statement, StoreError, Table, Transaction, Value,
    sql::{
        sqlite::{
            rows::{delete, execute, insert, rows},
            writer::SqliteWriter,
        },
        statements::{CHARGES, REQUESTS},
    },
};

/// The statements that merge the staging tables into the indexed tables.
static MERGE_STAGING: LazyLock<Vec<String>> = LazyLock::new(|| {
    [&REQUESTS, &CHARGES].into_iter().filter_map(|table| table.merge()).flatten().collect()
});

/// The number of staged rows at which they are merged.
const MERGE_BATCH: usize = 2048;

/// A transaction; each of its steps runs at once, on the calling thread.
pub(super) struct SqliteBatch {
    writer: OwnedMutexGuard<SqliteWriter>,
    is_open: bool,
    /// The number of staged rows after the commit.
    staged: usize,
}

impl SqliteBatch {
    pub(super) fn begin(mut writer: OwnedMutexGuard<SqliteWriter>) -> Result<Self, StoreError> {
        writer.execute("BEGIN IMMEDIATE")?;
        let staged = writer.staged;
        Ok(Self { writer, is_open: true, staged })
    }

    /// Merges the staging tables into the indexed tables.
    pub(super) fn merge_staging(&mut self) -> Result<(), StoreError> {
        for sql in &*MERGE_STAGING {
            self.writer.execute(sql)?;
        }
        self.staged = 0;
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), StoreError> {
        if self.staged >= MERGE_BATCH {
            self.merge_staging()?;
        }
        self.writer.execute("COMMIT")?;
        // A failed COMMIT leaves the transaction open.
        self.is_open = false;
        self.writer.staged = self.staged;
        Ok(())
    }
}

impl Transaction for SqliteBatch {
    fn run<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let merged = if statement.reads_staging { self.merge_staging() } else { Ok(()) };
        let rows = merged.and_then(|()| {
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
            self.staged += values.len() / table.columns.len();
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
