//! Deferred writes: several statements sent as one.

use std::mem;

use sqlx::{Arguments, postgres::PgArguments};

use crate::store::{Column, Statement, StoreError, Table, Value};

/// The deferred writes of a transaction.
#[derive(Default)]
pub(super) struct Deferred {
    /// The statements, with parameters numbered through all of them.
    writes: Vec<String>,
    arguments: PgArguments,
}

impl Deferred {
    pub(super) fn statement(
        &mut self,
        statement: &Statement,
        argument: &str,
    ) -> Result<(), StoreError> {
        let parameter = self.arguments.len() + 1;
        self.writes.push(statement.postgres.replace("$1", &format!("${parameter}")));
        self.arguments.add(argument).map_err(unwritable)
    }

    pub(super) fn insert(&mut self, table: &Table, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.writes.push(table.insert_all(self.arguments.len() + 1));
        for (index, (_, column)) in table.columns.iter().enumerate() {
            let values = values.iter().skip(index).step_by(table.columns.len());
            let added = match column {
                Column::Text => self.arguments.add(values.map(Value::text).collect::<Vec<_>>()),
                Column::Integer => {
                    self.arguments.add(values.map(Value::integer).collect::<Vec<_>>())
                }
                Column::Boolean => {
                    self.arguments.add(values.map(Value::boolean).collect::<Vec<_>>())
                }
            };
            added.map_err(unwritable)?;
        }
        Ok(())
    }

    /// Returns the writes as one statement.
    pub(super) fn take(&mut self) -> Option<(String, PgArguments)> {
        let Self { mut writes, arguments } = mem::take(self);
        let last = writes.pop()?;
        let with = writes
            .iter()
            .enumerate()
            .map(|(index, write)| format!("w{index} AS ({write})"))
            .collect::<Vec<_>>();
        let with =
            if with.is_empty() { String::new() } else { format!("WITH {} ", with.join(", ")) };
        Some((with + &last, arguments))
    }
}

fn unwritable(error: sqlx::error::BoxDynError) -> StoreError {
    StoreError::rejected(format!("PostgreSQL: a row cannot be written: {error}"))
}
