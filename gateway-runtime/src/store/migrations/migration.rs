//! A migration, and those of one owner.

use sqlx::{
    SqlSafeStr,
    migrate::{MigrateError, Migration as SqlxMigration, MigrationType, Migrator},
};

use crate::store::StoreError;

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

/// The SQL dialect of a database.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Dialect {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// A migration, and whether a database has it.
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

impl Migrations {
    pub(super) fn table(&self) -> String {
        format!("{}_migrations", self.owner.replace('-', "_"))
    }

    pub(super) fn migrator(&self, dialect: Dialect) -> Migrator {
        let both_ways = self.steps.iter().filter_map(|step| {
            let sql = match dialect {
                Dialect::Sqlite => step.sqlite,
                #[cfg(feature = "postgres")]
                Dialect::Postgres => step.postgres,
            }?;
            let one_way = |direction, text: &'static str| {
                SqlxMigration::new(
                    step.version,
                    step.name.into(),
                    direction,
                    text.into_sql_str(),
                    false,
                )
            };
            Some([
                one_way(MigrationType::ReversibleUp, sql.up),
                one_way(MigrationType::ReversibleDown, sql.down),
            ])
        });
        let mut migrator = Migrator::with_migrations(both_ways.flatten().collect());
        migrator.dangerous_set_table_name(self.table());
        migrator
    }

    pub(super) fn explain(&self, error: MigrateError) -> StoreError {
        let owner = self.owner;
        StoreError::rejected(match error {
            MigrateError::VersionMissing(version) => format!(
                "the database is newer than this program: it has the unknown migration {version} \
                 of `{owner}`\n\
                 help: start the newer version, or revert the migration with it"
            ),
            MigrateError::VersionMismatch(version) => format!(
                "migration {version} of `{owner}` was applied with other statements than this \
                 program has\n\
                 help: restore its statements, and write a new migration"
            ),
            MigrateError::VersionNotPresent(version) => {
                format!("`{owner}` has no migration {version}")
            }
            other => format!("the database cannot be migrated (`{owner}`): {other}"),
        })
    }
}
