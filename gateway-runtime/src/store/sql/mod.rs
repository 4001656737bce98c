//! What the books need of a database: transactions, and statements that take one JSON text and give rows of JSON text.
//!
//! A statement works on all rows of a batch at once: both dialects turn a JSON text into rows and rows into JSON texts,
//! so one driver call does for a hundred requests, and the code around it is the same for every database.

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

/// A future in a box: databases are chosen at start.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A database that keeps the books.
pub trait Database: fmt::Debug + Send + Sync {
    /// Begins to write. What is read in it does not change until it ends.
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>>;

    /// Reads what `statement` finds for `argument`.
    fn read<'a>(
        &'a self,
        statement: &'a Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;

    /// Carries out the journal, which writes into this database, where that is good for both.
    fn spawn_writer(&self, journal: BoxFuture<'static, ()>) -> JoinHandle<()> {
        tokio::spawn(journal)
    }

    /// Whether [`drive`](Self::drive) gives the journal a thread of its own, which it may block.
    fn has_writer_thread(&self) -> bool {
        false
    }
}

/// A transaction; dropped without [`commit`](Self::commit) it has never been.
pub trait Transaction: Send {
    /// Carries out `statement` with `argument`, and gives the rows it returns.
    fn run<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>>;

    /// Carries out `statement`, which returns no rows, at the latest with [`flush`](Self::flush). Other writes that may still
    /// be put off then must neither read nor change the rows that it changes.
    fn run_later<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let run = self.run(statement, argument);
        Box::pin(async { run.await.map(drop) })
    }

    /// Inserts rows, as late as [`run_later`](Self::run_later); the values of all columns of the first, then those of the next.
    fn insert<'a>(
        &'a mut self,
        table: &'static Table,
        values: &'a [Value<'a>],
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Deletes rows by their keys, and says of each whether it was there.
    fn delete<'a>(
        &'a mut self,
        table: &'static Table,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>>;

    /// Carries out what was put off.
    fn flush(&mut self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Makes it last.
    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// Why the books could not be read or written.
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
    /// The database is there and will not have it; nothing was changed.
    pub(crate) fn rejected(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Refused }
    }

    /// The database is away, slow or full; nothing was changed.
    pub(super) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Away }
    }

    /// There is no room for more; nothing was changed.
    pub(super) fn full(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Full }
    }

    /// Somebody else holds a lock for too long; nothing was changed.
    pub(super) fn locked(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Locked }
    }

    /// The change may be there or not: the connection was lost over the commit.
    pub(super) fn ambiguous(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Uncertain }
    }

    /// The database has it already.
    pub(super) fn duplicate(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into(), kind: StoreErrorKind::Duplicate }
    }

    /// What a database says of a statement, by whether its code means that it would say the same again.
    pub(super) fn of_code(message: impl Into<Cow<'static, str>>, is_refusal: bool) -> Self {
        if is_refusal { Self::rejected(message) } else { Self::unavailable(message) }
    }

    /// Whether the database will not have this change, and is well otherwise.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Refused | StoreErrorKind::Duplicate)
    }

    /// Whether that is because it is there already.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.kind == StoreErrorKind::Duplicate
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.kind == StoreErrorKind::Full
    }

    /// What is wrong with the database, in a word that anybody may read.
    pub(crate) fn word(&self) -> &'static str {
        match self.kind {
            StoreErrorKind::Full => "full",
            StoreErrorKind::Locked => "locked",
            _ => "away",
        }
    }

    /// Whether the change may be there all the same.
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
