//! Classes of SQLite's errors.

use crate::store::StoreError;

pub(super) fn unread(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    let is_refusal = code.and_then(|code| code.parse().ok()).is_some_and(is_refusal);
    StoreError::of_code(format!("SQLite: {error}"), is_refusal).with_source(error)
}

pub(super) fn unwritten(error: rusqlite::Error) -> StoreError {
    let code = error.sqlite_error().map_or(0, |error| error.extended_code);
    let message = format!("SQLite: {error}");
    let mapped = match code {
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
    };
    mapped.with_source(error)
}

/// Returns whether a result code (<https://sqlite.org/rescode.html>) is about the statement, so
/// that it would fail again: an error in the statement, a constraint, a value that is too large, of
/// another type or out of range. All others are about the file.
fn is_refusal(code: i32) -> bool {
    matches!(code & 0xff, 1 | 18 | 19 | 20 | 25)
}
