//! The tables that every call writes into. Their rows are bound as they are, since a database takes longer to read JSON
//! than to insert what it says.

#[cfg(feature = "postgres")]
use std::fmt::Write;
use std::sync::OnceLock;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Truth,
}

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// None.
    Null,
    /// Of [`Column::Text`].
    Text(&'v str),
    /// Of [`Column::Integer`].
    Integer(i64),
    /// Of [`Column::Truth`].
    Truth(bool),
}

#[cfg(feature = "postgres")]
impl<'v> Value<'v> {
    pub(super) fn text(&self) -> Option<&'v str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    pub(super) fn truth(&self) -> Option<bool> {
        if let Self::Truth(truth) = self { Some(*truth) } else { None }
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
        Self::Truth(truth)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A table, and those of its columns that rows are written into; the first is the key.
#[derive(Debug)]
pub struct Table {
    name: &'static str,
    /// In SQLite, its rows are written into this table first.
    pub(super) latest: Option<&'static str>,
    pub(super) columns: &'static [(&'static str, Column)],
    sql: OnceLock<Sql>,
}

/// As SQLite has them: for one row, and for one key.
#[derive(Debug)]
struct Sql {
    insert: String,
    delete: String,
}

impl Table {
    pub(super) const fn new(name: &'static str, columns: &'static [(&'static str, Column)]) -> Self {
        Self { name, latest: None, columns, sql: OnceLock::new() }
    }

    pub(super) const fn by_way_of(
        latest: &'static str,
        name: &'static str,
        columns: &'static [(&'static str, Column)],
    ) -> Self {
        Self { name, latest: Some(latest), columns, sql: OnceLock::new() }
    }

    pub(super) fn insert_one(&self) -> &str {
        &self.sqlite().insert
    }

    pub(super) fn delete_one(&self) -> &str {
        &self.sqlite().delete
    }

    fn sqlite(&self) -> &Sql {
        self.sql.get_or_init(|| {
            let table = self.latest.unwrap_or(self.name);
            let marks = vec!["?"; self.columns.len()].join(", ");
            Sql {
                insert: format!("{} VALUES ({marks})", self.insert_into(table)),
                delete: format!("DELETE FROM {table} WHERE {} = ?", self.key()),
            }
        })
    }

    fn insert_into(&self, table: &str) -> String {
        let columns: Vec<_> = self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        format!("INSERT INTO {table} ({})", columns.join(", "))
    }

    fn key(&self) -> &'static str {
        self.columns[0].0
    }
}

/// As PostgreSQL has them: for any number of rows or keys, each column an array.
#[cfg(feature = "postgres")]
impl Table {
    pub(super) fn insert_all(&self) -> String {
        let mut arrays = String::new();
        for (at, (_, column)) in self.columns.iter().enumerate() {
            let (comma, type_of) = (if at == 0 { "" } else { ", " }, column.postgres());
            // Writing into a text does not fail.
            let _ = write!(arrays, "{comma}${}::{type_of}[]", at + 1);
        }
        format!("{} SELECT * FROM unnest({arrays})", self.insert_into(self.name))
    }

    /// Gives the keys of those that there were.
    pub(super) fn delete_all(&self) -> String {
        format!("DELETE FROM {} WHERE {key} = ANY ($1) RETURNING {key}", self.name, key = self.key())
    }
}

#[cfg(feature = "postgres")]
impl Column {
    fn postgres(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Truth => "boolean",
        }
    }
}
