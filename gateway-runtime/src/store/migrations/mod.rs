//! Migrations of the database: versioned steps forward and back, embedded in the binary.
//!
//! The gateway has its own, and each crate of an author's may have some, numbered separately.

use sqlx::{
    Database, Pool, SqlSafeStr,
    migrate::{
        AppliedMigration, Migrate, MigrateError, Migration as SqlxMigration, MigrationType,
        Migrator,
    },
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

/// The gateway's own migrations.
pub(super) const GATEWAY: Migrations = {
    macro_rules! step {
        ($version:literal, $name:literal, $file:literal) => {
            Migration {
                version: $version,
                name: $name,
                sqlite: Some(Sql {
                    up: include_str!(concat!("sqlite/", $file, ".up.sql")),
                    down: include_str!(concat!("sqlite/", $file, ".down.sql")),
                }),
                postgres: Some(Sql {
                    up: include_str!(concat!("postgres/", $file, ".up.sql")),
                    down: include_str!(concat!("postgres/", $file, ".down.sql")),
                }),
            }
        };
    }
    Migrations {
        owner: "gateway",
        steps: &[
            step!(1, "books", "0001_books"),
            step!(2, "operator", "0002_operator"),
            step!(3, "kinds", "0003_kinds"),
            Migration {
                version: 4,
                name: "latest",
                sqlite: Some(Sql {
                    up: include_str!("sqlite/0004_latest.up.sql"),
                    down: include_str!("sqlite/0004_latest.down.sql"),
                }),
                postgres: None,
            },
            step!(5, "outbox", "0005_outbox"),
            step!(6, "holds", "0006_holds"),
            step!(7, "anonymous", "0007_anonymous"),
            step!(8, "views", "0008_views"),
        ],
    }
};

/// The SQL dialect of a database.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dialect {
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
    fn table(&self) -> String {
        format!("{}_migrations", self.owner.replace('-', "_"))
    }

    fn migrator(&self, dialect: Dialect) -> Migrator {
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

    fn explain(&self, error: MigrateError) -> StoreError {
        let owner = self.owner;
        StoreError::rejected(match error {
            MigrateError::VersionMissing(version) => format!(
                "the database is newer than this program: it has migration {version} of `{owner}`, \
                 which is not known here; start the newer version, or take the migration back with \
                 it"
            ),
            MigrateError::VersionMismatch(version) => format!(
                "migration {version} of `{owner}` was applied with other statements than this \
                 program has: what is applied is not edited, write a new one"
            ),
            MigrateError::VersionNotPresent(version) => {
                format!("`{owner}` has no migration {version}")
            }
            other => format!("the database cannot be migrated (`{owner}`): {other}"),
        })
    }
}

/// Applies missing migrations; one process at a time.
///
/// # Errors
///
/// Fails if a step fails, or a newer version of the program has migrated the database.
pub(super) async fn apply<DB>(
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
pub(super) async fn bring_to<DB>(
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
pub(super) async fn status<DB>(
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
            let (version, name) = (step.version, step.name);
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
pub(super) fn require(status: &[MigrationStatus]) -> Result<(), StoreError> {
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
        "the database is older than this program, it lacks {}: run `gateway db migrate` with this \
         program's settings, or set `store.migrate` to true",
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
    let unread = |error: &dyn std::fmt::Display| {
        StoreError::unavailable(format!("the migrations cannot be read: {error}"))
    };
    let mut connection = pool.acquire().await.map_err(|error| unread(&error))?;
    match connection.list_applied_migrations(&owned.table()).await {
        Ok(applied) => Ok(applied),
        Err(MigrateError::Execute(sqlx::Error::Database(error))) if is_missing_table(&*error) => {
            Ok(Vec::new())
        }
        Err(error) => Err(unread(&error)),
    }
}

fn is_missing_table(error: &dyn sqlx::error::DatabaseError) -> bool {
    // PostgreSQL has a code for a missing table, SQLite only a message.
    error.code().is_some_and(|code| code == "42P01") || error.message().starts_with("no such table")
}
