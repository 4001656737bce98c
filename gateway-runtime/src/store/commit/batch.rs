//! A batch of commands in an open transaction: rows in and out of its statements.

use serde::{Serialize, de::DeserializeOwned};

use crate::store::{
    Statement, StoreError, Table, Transaction, Value,
    json_rows::{from_json, to_json},
};

/// An open transaction, and the rows that a batch sends to its statements.
pub(super) struct Batch(pub(super) Box<dyn Transaction>);

impl Batch {
    /// Inserts rows of `COLUMNS` columns. Sends nothing if there are no rows.
    pub(super) async fn insert<'v, const COLUMNS: usize>(
        &mut self,
        table: &'static Table,
        rows: impl Iterator<Item = [Value<'v>; COLUMNS]>,
    ) -> Result<(), StoreError> {
        let values: Vec<_> = rows.flatten().collect();
        if values.is_empty() { Ok(()) } else { self.0.insert(table, &values).await }
    }

    /// Deletes rows by their keys, and returns whether each existed. Sends nothing if there are no
    /// keys.
    pub(super) async fn delete(
        &mut self,
        table: &'static Table,
        keys: Vec<&str>,
    ) -> Result<Vec<bool>, StoreError> {
        if keys.is_empty() { Ok(Vec::new()) } else { self.0.delete(table, &keys).await }
    }

    /// Executes a statement without results for some rows, deferred as in
    /// [`Transaction::run_later`]. Sends nothing if there are no rows.
    pub(super) async fn later<T: Serialize>(
        &mut self,
        statement: &'static Statement,
        rows: Vec<T>,
    ) -> Result<(), StoreError> {
        if rows.is_empty() { Ok(()) } else { self.0.run_later(statement, &to_json(&rows)?).await }
    }

    /// Executes a statement for some rows, and returns its results. Sends nothing if there are no
    /// rows.
    pub(super) async fn rows<T: Serialize, R: DeserializeOwned>(
        &mut self,
        statement: &'static Statement,
        rows: Vec<T>,
    ) -> Result<Vec<R>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let argument = to_json(&rows)?;
        self.0.run(statement, &argument).await?.iter().map(|row| from_json(row)).collect()
    }
}
