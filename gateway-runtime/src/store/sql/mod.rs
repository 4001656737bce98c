//! The database interface of the store: transactions, and statements that take one JSON text and
//! return rows of JSON text.
//!
//! A statement works on all rows of a batch at once: both dialects turn a JSON text into rows and
//! rows into JSON texts. So one driver call serves a hundred requests, and the code around it is
//! the same for every database.

pub(super) mod glance;
#[cfg(feature = "postgres")]
pub(super) mod postgres;
pub(super) mod sqlite;
pub(super) mod statements;
pub(super) mod table;
pub(super) mod wal;

use std::{borrow::Cow, fmt, future::Future, pin::Pin};

use tokio::task::JoinHandle;

use crate::store::{Statement, Table, Value};

/// A boxed future: the database is chosen at start.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A database that can hold the store.
pub trait Database: fmt::Debug + Send + Sync {
    /// Begins a transaction. Rows that it has read do not change until it ends.
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>>;

    /// Reads the rows that `statement` returns for `argument`.
    fn read<'a>(
        &'a self,
        statement: &'a Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;

    /// Spawns the store writer on the thread or runtime that suits the database.
    fn spawn_writer(&self, writer: BoxFuture<'static, ()>) -> JoinHandle<()> {
        tokio::spawn(writer)
    }

    /// Returns whether [`spawn_writer`](Self::spawn_writer) runs the store writer on a thread of
    /// its own, which it may block.
    fn has_writer_thread(&self) -> bool {
        false
    }
}

/// A transaction; rolled back if it is dropped without [`commit`](Self::commit).
pub trait Transaction: Send {
    /// Executes `statement` with `argument`, and returns its rows.
    fn run<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;

    /// Executes `statement`, which returns no rows, at the latest with [`flush`](Self::flush).
    /// Other deferred writes must neither read nor change the rows that it changes.
    fn run_later<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let run = self.run(statement, argument);
        Box::pin(async { run.await.map(drop) })
    }

    /// Inserts rows, deferred as in [`run_later`](Self::run_later). The values are those of all
    /// columns of the first row, then of the next.
    fn insert<'a>(
        &'a mut self,
        table: &'static Table,
        values: &'a [Value<'a>],
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Deletes rows by their keys, and returns whether each existed.
    fn delete<'a>(
        &'a mut self,
        table: &'static Table,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>>;

    /// Executes the deferred writes.
    fn flush(&mut self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Commits the transaction.
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// An error of the store: its message, and the class that decides what the caller may do.
#[derive(Clone, Debug)]
pub struct StoreError {
    message: Cow<'static, str>,
    kind: StoreErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StoreErrorKind {
    Refused,
    Duplicate,
    Away,
    Full,
    Locked,
    Uncertain,
}

impl StoreError {
    /// Creates the error of a statement that the database rejects; nothing was changed.
    pub(crate) fn rejected(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Refused }
    }

    /// Creates the error of a database that is unavailable or slow; nothing was changed.
    pub(super) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Away }
    }

    /// Creates the error of a database without room; nothing was changed.
    pub(super) fn full(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Full }
    }

    /// Creates the error of a lock that another process holds for too long; nothing was changed.
    pub(super) fn locked(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Locked }
    }

    /// Creates the error of a change that may be committed or not, because the connection was lost
    /// during the commit.
    pub(super) fn ambiguous(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Uncertain }
    }

    /// Creates the error of a row whose key exists already.
    pub(super) fn duplicate(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Duplicate }
    }

    /// Creates the error of a database's error code: rejected if the same statement would fail
    /// again, otherwise unavailable.
    pub(super) fn of_code(message: impl Into<Cow<'static, str>>, is_refusal: bool) -> Self {
        if is_refusal { Self::rejected(message) } else { Self::unavailable(message) }
    }

    /// Returns whether the database works and rejects this change.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Refused | StoreErrorKind::Duplicate)
    }

    /// Returns whether the change is rejected because its key exists already.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.kind == StoreErrorKind::Duplicate
    }

    /// Returns whether the database has no room.
    pub(super) fn is_full(&self) -> bool {
        self.kind == StoreErrorKind::Full
    }

    /// Returns the trouble of the database in one word, without details, so that any client may
    /// read it.
    pub(crate) fn word(&self) -> &'static str {
        match self.kind {
            StoreErrorKind::Full => "full",
            StoreErrorKind::Locked => "locked",
            _ => "away",
        }
    }

    /// Returns whether the change may be committed nevertheless (SEMANTICS §3: ambiguous).
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        self.kind == StoreErrorKind::Uncertain
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}
