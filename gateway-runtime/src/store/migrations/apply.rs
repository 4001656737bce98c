//! Migrations applied to a database, reverted and listed.

use sqlx::{
    Database, Pool,
    migrate::{AppliedMigration, Migrate, MigrateError},
};

use crate::store::{
    StoreError,
    migrations::{MigrationStatus, Migrations, migrator::Dialect},
};

/// Applies missing migrations; one process at a time.
///
/// # Errors
///
/// Fails if a step fails, or a newer version of the program has migrated the database.
pub(in crate::store) async fn apply<DB>(
    pool: &Pool<DB>,
    dialect: Dialect,
    all: &[Migrations],
) -> Result<(), StoreError>
where
    DB: Database<Connection: Migrate>,
{
    for owned in all {
        owned.migrator(dialect).run(pool).await.map_err(|error| owned.explain(error))?;
    }
    Ok(())
}

/// Migrates one owner's tables to `version`, forward or back. Reverting a step deletes the data
/// that it stores.
///
/// # Errors
///
/// Fails as [`apply`] does, and if the version does not exist.
pub(in crate::store) async fn migrate_to<DB>(
    pool: &Pool<DB>,
    dialect: Dialect,
    owned: &Migrations,
    version: i64,
) -> Result<(), StoreError>
where
    DB: Database<Connection: Migrate>,
{
    let migrator = owned.migrator(dialect);
    if version != 0 && !migrator.version_exists(version) {
        return Err(owned.explain(MigrateError::VersionNotPresent(version)));
    }
    let last = applied(pool, owned).await?.iter().map(|applied| applied.version).max().unwrap_or(0);
    let brought = if version < last {
        migrator.undo(pool, version).await
    } else {
        migrator.run_to(version, pool).await
    };
    brought.map_err(|error| owned.explain(error))
}

/// Returns each migration of each owner, known to this program or not.
///
/// # Errors
///
/// Fails if the database cannot be read.
pub(in crate::store) async fn status<DB>(
    pool: &Pool<DB>,
    dialect: Dialect,
    all: &[Migrations],
) -> Result<Vec<MigrationStatus>, StoreError>
where
    DB: Database<Connection: Migrate>,
{
    let mut status = Vec::new();
    for owned in all {
        let owner = owned.owner;
        let applied = applied(pool, owned).await?;
        let is_applied = |version| applied.iter().any(|applied| applied.version == version);
        let known = owned.migrator(dialect);
        for step in owned.steps.iter().filter(|step| known.version_exists(step.version)) {
            let version = step.version;
            let name = step.name;
            status.push(MigrationStatus { owner, version, name, is_applied: is_applied(version) });
        }
        let unknown = applied
            .iter()
            .map(|applied| applied.version)
            .filter(|version| !known.version_exists(*version));
        status.extend(unknown.map(|version| MigrationStatus {
            owner,
            version,
            name: "",
            is_applied: true,
        }));
    }
    Ok(status)
}

/// Rejects a database that is older or newer than the program.
///
/// # Errors
///
/// Names the missing migrations, and how to apply them.
pub(in crate::store) fn require(status: &[MigrationStatus]) -> Result<(), StoreError> {
    if let Some(newer) = status.iter().find(|step| step.is_applied && step.name.is_empty()) {
        let owned = Migrations { owner: newer.owner, steps: &[] };
        return Err(owned.explain(MigrateError::VersionMissing(newer.version)));
    }
    let missing: Vec<_> = status
        .iter()
        .filter(|step| !step.is_applied)
        .map(|step| format!("{} {} ({})", step.owner, step.version, step.name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(StoreError::rejected(format!(
        "the database is older than this program: it lacks {}\n\
         help: run `gateway db migrate` with this program's settings, or set `store.migrate` to \
         true",
        missing.join(", ")
    )))
}

/// Returns the applied migrations of one owner; none if the owner has no table yet.
async fn applied<DB>(
    pool: &Pool<DB>,
    owned: &Migrations,
) -> Result<Vec<AppliedMigration>, StoreError>
where
    DB: Database<Connection: Migrate>,
{
    let mut connection = pool.acquire().await.map_err(unread)?;
    match connection.list_applied_migrations(&owned.table()).await {
        Ok(applied) => Ok(applied),
        Err(MigrateError::Execute(sqlx::Error::Database(error))) if is_missing_table(&*error) => {
            Ok(Vec::new())
        }
        Err(error) => Err(unread(error)),
    }
}

fn unread(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::unavailable(format!("the migrations cannot be read: {error}")).with_source(error)
}

fn is_missing_table(error: &dyn sqlx::error::DatabaseError) -> bool {
    // PostgreSQL has a code for a missing table, SQLite only a message.
    error.code().is_some_and(|code| code == "42P01") || error.message().starts_with("no such table")
}
