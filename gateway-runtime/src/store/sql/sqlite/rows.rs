//! Statements on a connection: rows read, inserted and deleted.

use rusqlite::{
    Connection, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::store::{Table, Value};

pub(super) fn rows(
    connection: &Connection,
    sql: &str,
    argument: &str,
) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached(sql)?.query_map([argument], |row| row.get(0))?.collect()
}

pub(super) fn insert(
    connection: &Connection,
    table: &Table,
    values: &[Value<'_>],
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(table.insert_one())?;
    for row in values.chunks(table.columns.len()) {
        for (index, value) in row.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, value)?;
        }
        statement.raw_execute()?;
    }
    Ok(())
}

pub(super) fn delete(
    connection: &Connection,
    table: &Table,
    keys: &[&str],
) -> rusqlite::Result<Vec<bool>> {
    let mut statement = connection.prepare_cached(table.delete_one())?;
    keys.iter().map(|key| Ok(statement.execute([key])? > 0)).collect()
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Boolean(value) => ValueRef::Integer((*value).into()),
        }))
    }
}

pub(super) fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
