//! The tables that every call writes into.
//!
//! Their rows are bound as values: a database takes longer to parse JSON than to insert its
//! content.

#[cfg(feature = "postgres")]
use std::fmt::Write;
use std::sync::OnceLock;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// A text.
    Text,
    /// An integer of 64 bits.
    Integer,
    /// A boolean.
    Boolean,
}

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// NULL.
    Null,
    /// A value of [`Column::Text`].
    Text(&'v str),
    /// A value of [`Column::Integer`].
    Integer(i64),
    /// A value of [`Column::Boolean`].
    Boolean(bool),
}

#[cfg(feature = "postgres")]
impl<'v> Value<'v> {
    pub(in crate::store) fn text(&self) -> Option<&'v str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(in crate::store) fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    pub(in crate::store) fn boolean(&self) -> Option<bool> {
        if let Self::Boolean(value) = self { Some(*value) } else { None }
    }
}

impl<'v> From<&'v str> for Value<'v> {
    fn from(text: &'v str) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A table and the columns of inserted rows; the first column is the key.
#[derive(Debug)]
pub struct Table {
    name: &'static str,
    /// The staging table, into which SQLite writes the rows first.
    pub(in crate::store) staging: Option<&'static str>,
    pub(in crate::store) columns: &'static [(&'static str, Column)],
    /// The condition on an existing row under which a new row of the same key replaces it; without
    /// a condition the new row is rejected.
    replaces: Option<&'static str>,
    sql: OnceLock<TableSql>,
}

/// SQLite's statements: for one row, and for one key.
#[derive(Debug)]
struct TableSql {
    insert: String,
    delete: String,
}

impl Table {
    pub(in crate::store) const fn new(
        name: &'static str,
        columns: &'static [(&'static str, Column)],
    ) -> Self {
        Self { name, staging: None, columns, replaces: None, sql: OnceLock::new() }
    }

    pub(in crate::store) const fn staged(
        staging: &'static str,
        name: &'static str,
        columns: &'static [(&'static str, Column)],
    ) -> Self {
        Self { name, staging: Some(staging), columns, replaces: None, sql: OnceLock::new() }
    }

    /// Returns the same table, whose rows that satisfy `condition` are replaced by later ones of
    /// the same key.
    pub(in crate::store) const fn replacing(mut self, condition: &'static str) -> Self {
        self.replaces = Some(condition);
        self
    }

    /// Returns SQLite's statements that move the staged rows into the indexed table. A row that
    /// exists there already was written a second time, after a commit whose outcome was ambiguous.
    pub(in crate::store) fn merge(&self) -> Option<[String; 2]> {
        let name = self.name;
        let staging = self.staging?;
        let columns = self.names();
        let conflict = if self.replaces.is_some() {
            self.conflict(name)
        } else {
            " ON CONFLICT DO NOTHING".to_owned()
        };
        // Without WHERE, SQLite would parse ON as part of a join.
        let insert = format!(
            "INSERT INTO {name} ({columns}) SELECT {columns} FROM {staging} WHERE true{conflict}"
        );
        Some([insert, format!("DELETE FROM {staging}")])
    }

    /// Returns the clause for rows whose key exists already.
    fn conflict(&self, table: &str) -> String {
        let Some(condition) = self.replaces else { return String::new() };
        let set: Vec<_> = self.columns[1..]
            .iter()
            .map(|(name, _)| format!("\"{name}\" = excluded.\"{name}\""))
            .collect();
        let condition = condition.replace("{table}", table);
        format!(" ON CONFLICT ({}) DO UPDATE SET {} WHERE {condition}", self.key(), set.join(", "))
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        names.join(", ")
    }

    pub(in crate::store) fn insert_one(&self) -> &str {
        &self.sqlite().insert
    }

    pub(in crate::store) fn delete_one(&self) -> &str {
        &self.sqlite().delete
    }

    fn sqlite(&self) -> &TableSql {
        self.sql.get_or_init(|| {
            let table = self.staging.unwrap_or(self.name);
            let marks = vec!["?"; self.columns.len()].join(", ");
            TableSql {
                insert: format!(
                    "{} VALUES ({marks}){}",
                    self.insert_into(table),
                    self.conflict(table)
                ),
                delete: format!("DELETE FROM {table} WHERE {} = ?", self.key()),
            }
        })
    }

    fn insert_into(&self, table: &str) -> String {
        format!("INSERT INTO {table} ({})", self.names())
    }

    fn key(&self) -> &'static str {
        self.columns[0].0
    }
}

/// PostgreSQL's statements: for any number of rows or keys, with an array for each column.
#[cfg(feature = "postgres")]
impl Table {
    /// Returns the statement that inserts rows, with parameters numbered from `first`.
    pub(in crate::store) fn insert_all(&self, first: usize) -> String {
        let mut arrays = String::new();
        for (index, (_, column)) in self.columns.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let type_of = column.postgres();
            // Writing to a `String` cannot fail.
            let _ = write!(arrays, "{comma}${}::{type_of}[]", first + index);
        }
        format!(
            "{} SELECT * FROM unnest({arrays}){}",
            self.insert_into(self.name),
            self.conflict(self.name)
        )
    }

    /// Returns the statement that deletes rows and returns the keys of those that existed.
    pub(in crate::store) fn delete_all(&self) -> String {
        format!(
            "DELETE FROM {} WHERE {key} = ANY ($1) RETURNING {key}",
            self.name,
            key = self.key()
        )
    }
}

#[cfg(feature = "postgres")]
impl Column {
    fn postgres(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Boolean => "boolean",
        }
    }
}
