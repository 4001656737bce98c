//! The migrations of one owner as those of sqlx, and its errors with what to do about them.

use sqlx::{
    SqlSafeStr,
    migrate::{MigrateError, Migration as SqlxMigration, MigrationType, Migrator},
};

use crate::store::{Migrations, StoreError};

/// The SQL dialect of a database.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Dialect {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
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
        let explained = StoreError::rejected(match &error {
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
        });
        explained.with_source(error)
    }
}
