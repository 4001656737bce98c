//! The only connection that writes.

use rusqlite::Connection;

use crate::store::{
    StoreError,
    sql::sqlite::{error::unwritten, rows::execute, wal},
};

/// The only connection that writes.
#[derive(Debug)]
pub(super) struct SqliteWriter {
    pub(super) connection: Connection,
    /// The number of rows in the staging tables.
    pub(super) staged: usize,
    /// Whether the last transaction failed for lack of room.
    pub(super) is_full: bool,
}

impl SqliteWriter {
    /// Makes room in the write-ahead log after a transaction that had none: SQLite's own checkpoint
    /// follows only a commit.
    pub(super) fn make_room(&mut self) {
        if std::mem::take(&mut self.is_full)
            && let Err(error) = wal::checkpoint(&self.connection)
        {
            tracing::debug!(%error, "checkpoint failed");
        }
    }

    /// Converts an error, and notes a lack of room.
    pub(super) fn failed(&mut self, error: rusqlite::Error) -> StoreError {
        let error = unwritten(error);
        self.is_full |= error.is_full();
        error
    }

    pub(super) fn execute(&mut self, sql: &str) -> Result<(), StoreError> {
        execute(&self.connection, sql).map_err(|error| self.failed(error))
    }

    /// Returns whether the staging tables have rows.
    pub(super) fn has_staged(&self) -> rusqlite::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM latest_requests) \
            OR EXISTS (SELECT 1 FROM latest_charges)";
        self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
    }
}
