//! A statement, in the dialect of each database.

use std::borrow::Cow;

/// A statement, in the dialect of each database.
#[derive(Debug)]
pub struct Statement {
    pub(in crate::store) sqlite: Cow<'static, str>,
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "written for both, so that both stay in view")
    )]
    pub(in crate::store) postgres: Cow<'static, str>,
    /// Whether the statement reads tables that SQLite writes through a staging table.
    pub(in crate::store) reads_staging: bool,
    /// Whether the statement is polled and reads so little that SQLite runs it on the calling
    /// thread.
    pub(in crate::store) is_polled: bool,
}

impl Statement {
    /// Returns whether the statement was composed for one query, so that a database need not cache
    /// it.
    pub(in crate::store) fn is_dynamic(&self) -> bool {
        matches!(self.sqlite, Cow::Owned(_))
    }
}
