//! Fragments of statements, in both dialects, of which dynamic statements are composed.
//!
//! All of their text is constant; the values of a query are bound.

use crate::store::Statement;

/// A fragment of a statement, in both dialects.
#[derive(Clone, Debug)]
pub(super) struct SqlFragment {
    pub(super) sqlite: String,
    pub(super) postgres: String,
}

pub(super) fn sql(sqlite: impl Into<String>, postgres: impl Into<String>) -> SqlFragment {
    SqlFragment { sqlite: sqlite.into(), postgres: postgres.into() }
}

pub(super) fn same(text: &str) -> SqlFragment {
    sql(text, text)
}

/// Returns the value bound under `key`, of PostgreSQL's type `type_of`.
pub(super) fn bound(key: &str, type_of: &str) -> SqlFragment {
    sql(format!("(?1 ->> '{key}')"), format!("($1::jsonb ->> '{key}')::{type_of}"))
}

pub(super) fn compare(column: &str, operator: &str, key: &str, type_of: &str) -> SqlFragment {
    let SqlFragment { sqlite, postgres } = bound(key, type_of);
    sql(format!("{column} {operator} {sqlite}"), format!("{column} {operator} {postgres}"))
}

pub(super) fn all(conditions: impl IntoIterator<Item = SqlFragment>) -> SqlFragment {
    conditions.into_iter().fold(same("true"), |all, next| {
        sql(
            format!("{} AND {}", all.sqlite, next.sqlite),
            format!("{} AND {}", all.postgres, next.postgres),
        )
    })
}

impl From<SqlFragment> for Statement {
    fn from(SqlFragment { sqlite, postgres }: SqlFragment) -> Self {
        Self {
            sqlite: sqlite.into(),
            postgres: postgres.into(),
            reads_staging: false,
            is_polled: false,
        }
    }
}

impl SqlFragment {
    /// Returns the statement, marked as reading tables that SQLite writes through a staging table.
    pub(super) fn reading_latest(self) -> Statement {
        Statement { reads_staging: true, ..self.into() }
    }
}
