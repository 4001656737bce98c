//! Small reads of SQLite on the calling thread.
//!
//! `sqlx` reads on a thread of its own; each statement costs half a dozen wake-ups, whatever it
//! finds. The reads that gateways poll (the number of the last change, whether the outbox is empty)
//! take some microseconds, and run here instead. With a write-ahead log no reader waits for a
//! writer.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags};

/// A connection for small reads, opened by the first of them. Cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::store) struct PolledReader(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl PolledReader {
    pub(in crate::store) fn new(path: &Path) -> Self {
        Self(Arc::new(Inner { path: path.to_owned(), connection: Mutex::default() }))
    }

    /// Returns the rows, or `None` if they cannot be read without waiting; the caller then reads
    /// with `sqlx`, which also reports the error.
    pub(in crate::store) fn read(&self, sql: &str, argument: &str) -> Option<Vec<String>> {
        let mut connection = self.0.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = match &*connection {
            Some(connection) => rows(connection, sql, argument),
            None => open(&self.0.path).and_then(|new| rows(connection.insert(new), sql, argument)),
        };
        if rows.is_err() {
            *connection = None;
        }
        rows.ok()
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    Ok(connection)
}

fn rows(connection: &Connection, sql: &str, argument: &str) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached(sql)?.query_map([argument], |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polled_reader_reads_committed_rows_and_nothing_without_a_table() {
        let path = std::env::temp_dir().join(format!("gateway-polled-{}.db", std::process::id()));
        let polled = PolledReader::new(&path);
        let read = || polled.read("SELECT word FROM words WHERE ?1 NOT NULL", "0");
        assert_eq!(read(), None, "there is no file, and none is made");
        let writer = Connection::open(&path).unwrap();
        writer.pragma_update(None, "journal_mode", "wal").unwrap();
        assert_eq!(read(), None, "there is no table yet");
        writer.execute("CREATE TABLE words (word TEXT)", []).unwrap();
        assert_eq!(read(), Some(vec![]));
        writer.execute_batch("BEGIN IMMEDIATE; INSERT INTO words VALUES ('one')").unwrap();
        assert_eq!(read(), Some(vec![]), "a writer under way is not waited for");
        writer.execute_batch("COMMIT").unwrap();
        assert_eq!(read(), Some(vec!["one".to_owned()]));
        drop((polled, writer));
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", path.display()));
        }
    }
}
