//! Pieces of statements, in both dialects, from which those are put together that depend on what is asked for. All of their
//! text stands in the program; what is looked for is bound.

use crate::store::sql::statements::Statement;

/// A piece of a statement, in both dialects.
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

/// What is bound under `key`, of PostgreSQL's type `type_of`.
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
    /// As a statement that reads what SQLite writes by way of another table.
    pub(super) fn reading_latest(self) -> Statement {
        Statement { reads_staging: true, ..self.into() }
    }
}
