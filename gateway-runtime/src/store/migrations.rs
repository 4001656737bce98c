//! The shape of the database: versioned steps forward and back, part of the binary.

use sqlx::{
    Pool,
    migrate::{Migrate, MigrateError, Migration, Migrator},
};

use super::StoreError;

/// Both directions of one step, from the files beside this one.
macro_rules! migration {
    ($version:literal, $name:literal, $path:literal) => {{
        use sqlx::{
            SqlSafeStr as _,
            migrate::{Migration, MigrationType},
        };
        let step =
            |direction, sql: &'static str| Migration::new($version, $name.into(), direction, sql.into_sql_str(), false);
        [
            step(MigrationType::ReversibleUp, include_str!(concat!("migrations/", $path, ".up.sql"))),
            step(MigrationType::ReversibleDown, include_str!(concat!("migrations/", $path, ".down.sql"))),
        ]
    }};
}
pub(super) use migration;

fn migrator(steps: Vec<[Migration; 2]>) -> Migrator {
    let mut migrator = Migrator::with_migrations(steps.into_iter().flatten().collect());
    migrator.dangerous_set_table_name("gateway_migrations");
    migrator
}

/// Applies what a database lacks; one process at a time.
///
/// # Errors
///
/// When a step fails, or the database has been changed by a newer version of the gateway.
pub(super) async fn apply<DB>(pool: &Pool<DB>, steps: Vec<[Migration; 2]>) -> Result<(), StoreError>
where
    DB: sqlx::Database,
    DB::Connection: Migrate,
{
    migrator(steps).run(pool).await.map_err(explain)
}

/// Takes back the steps after `version`.
///
/// # Errors
///
/// As [`apply`].
pub(super) async fn take_back<DB>(pool: &Pool<DB>, steps: Vec<[Migration; 2]>, version: i64) -> Result<(), StoreError>
where
    DB: sqlx::Database,
    DB::Connection: Migrate,
{
    migrator(steps).undo(pool, version).await.map_err(explain)
}

fn explain(error: MigrateError) -> StoreError {
    StoreError::refused(match error {
        MigrateError::VersionMissing(version) => format!(
            "the database is newer than this program: it has migration {version}, which is not known here; start the \
             newer version, or take the migration back with it"
        ),
        other => format!("the database cannot be migrated: {other}"),
    })
}
