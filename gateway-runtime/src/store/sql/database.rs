//! The interface of a database: transactions, and statements that take one JSON text and return
//! rows of JSON text.
//!
//! A statement works on all rows of a batch at once: both dialects turn a JSON text into rows and
//! rows into JSON texts. So one driver call serves a hundred requests, and the code around it is
//! the same for every database.

use std::fmt;

use futures_util::future::BoxFuture;
use tokio::task::JoinHandle;

use crate::store::{Statement, StoreError, Table, Value};

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
