//! SQL: the database interface, the statements in both dialects, and the two databases.
//!
//! - `database`: the interface of a database
//! - `sqlite`, `postgres`: the databases
//! - `statement`, `statements`: the statements
//! - `table`: the tables whose rows are bound as values

pub(super) mod database;
#[cfg(feature = "postgres")]
pub(super) mod postgres;
#[cfg(feature = "sqlite")]
pub(super) mod sqlite;
pub(super) mod statement;
pub(super) mod statements;
pub(super) mod table;
