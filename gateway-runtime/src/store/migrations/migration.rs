//! A migration, and those of one owner.

/// The statements of one migration, in one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The statements that apply the migration.
    pub up: &'static str,
    /// The statements that revert the migration.
    pub down: &'static str,
}

/// A migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The number, from 1; migrations are applied in this order.
    pub version: i64,
    /// The name.
    pub name: &'static str,
    /// The statements for SQLite; without them the migration is skipped there.
    pub sqlite: Option<Sql>,
    /// The statements for PostgreSQL; without them the migration is skipped there.
    pub postgres: Option<Sql>,
}

/// All migrations of one owner, as [`migrations!`](crate::migrations) finds them in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrations {
    /// The owner, within which versions are numbered. Letters, digits, `_` and `-`.
    pub owner: &'static str,
    /// The migrations, by version.
    pub steps: &'static [Migration],
}

/// A migration, and whether a database has it.
///
/// ```
/// use gateway_runtime::{db::MigrationStatus, prelude::*};
///
/// /// Prints the migrations that the configured database lacks.
/// async fn print_missing(gateway: &Gateway) -> Result<(), StartError> {
///     for status in gateway.migration_status().await? {
///         let MigrationStatus { owner, version, name, is_applied } = status;
///         if !is_applied {
///             println!("{owner} {version} {name}");
///         }
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// The owner.
    pub owner: &'static str,
    /// The number.
    pub version: i64,
    /// The name; empty if this program does not know the migration.
    pub name: &'static str,
    /// Whether the migration is applied.
    pub is_applied: bool,
}
