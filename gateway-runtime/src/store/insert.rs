//! Rows for the tables that every call writes into: bound as they are, since a database takes longer to read JSON than to
//! insert what it says.

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

/// A table and the columns that rows are written into.
#[derive(Debug)]
pub struct Insert {
    table: &'static str,
    /// In SQLite, the rows are written into this table first.
    pub(super) latest: Option<&'static str>,
    pub(super) columns: &'static [(&'static str, Column)],
    sql: OnceLock<String>,
}

impl Insert {
    pub(super) const fn into(table: &'static str, columns: &'static [(&'static str, Column)]) -> Self {
        Self { table, latest: None, columns, sql: OnceLock::new() }
    }

    pub(super) const fn by_way_of(
        latest: &'static str,
        table: &'static str,
        columns: &'static [(&'static str, Column)],
    ) -> Self {
        Self { table, latest: Some(latest), columns, sql: OnceLock::new() }
    }

    /// The statement for one row, each column a parameter.
    pub(super) fn sqlite(&self) -> &str {
        self.sql.get_or_init(|| {
            let marks = vec!["?"; self.columns.len()].join(", ");
            format!("{} VALUES ({marks})", self.head(self.latest.unwrap_or(self.table)))
        })
    }

    /// The statement for any number of rows, each column an array.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "written for both, so that both stay in view"))]
    pub(super) fn postgres(&self) -> String {
        let mut arrays = String::new();
        for (at, (_, column)) in self.columns.iter().enumerate() {
            let (comma, type_of) = (if at == 0 { "" } else { ", " }, column.postgres());
            // Writing into a text does not fail.
            let _ = write!(arrays, "{comma}${}::{type_of}[]", at + 1);
        }
        format!("{} SELECT * FROM unnest({arrays})", self.head(self.table))
    }

    fn head(&self, table: &str) -> String {
        let columns: Vec<_> = self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        format!("INSERT INTO {table} ({})", columns.join(", "))
    }
}

impl Column {
    fn postgres(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "bigint",
            Self::Truth => "boolean",
        }
    }
}
