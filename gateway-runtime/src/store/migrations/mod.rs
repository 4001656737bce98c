//! The shape of the database: versioned steps forward and back, part of the binary. The gateway has its own, and each
//! crate of an author's may have some, counted on their own.

use sqlx::{
    Database, Pool, SqlSafeStr,
    migrate::{
        AppliedMigration, Migrate, MigrateError, Migration as SqlxMigration, MigrationType,
        Migrator,
    },
};

use crate::store::StoreError;

/// The statements of one step, in one dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sql {
    /// Forward.
    pub up: &'static str,
    /// Back.
    pub down: &'static str,
}

/// One step in the shape of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number, from 1; steps are taken in this order.
    pub version: i64,
    /// What it is about.
    pub name: &'static str,
    /// For SQLite; nothing is done there without.
    pub sqlite: Option<Sql>,
    /// For PostgreSQL; nothing is done there without.
    pub postgres: Option<Sql>,
}

/// All steps of one owner: what [`migrations!`](crate::migrations) finds in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrations {
    /// Whose they are; their versions are counted for each owner. Letters, digits, `_` and `-`.
    pub owner: &'static str,
    /// The steps.
    pub steps: &'static [Migration],
}

/// The gateway's own.
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

/// Which statements a database understands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dialect {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// One step, and whether a database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Whose it is.
    pub owner: &'static str,
    /// Its number.
    pub version: i64,
    /// What it is about; empty for one that this program does not know.
    pub name: &'static str,
    /// Whether the database has it.
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
                "the database is newer than this program: it has migration {version} of `{owner}`, which is not known here; \
                 start the newer version, or take the migration back with it"
            ),
            MigrateError::VersionMismatch(version) => format!(
                "migration {version} of `{owner}` was applied with other statements than this program has: what is applied \
                 is not edited, write a new one"
            ),
            MigrateError::VersionNotPresent(version) => {
                format!("`{owner}` has no migration {version}")
            }
            other => format!("the database cannot be migrated (`{owner}`): {other}"),
        })
    }
}

/// Applies what a database lacks; one process at a time.
///
/// # Errors
///
/// When a step fails, or the database has been changed by a newer version of the program.
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

/// Brings one owner's part of a database to `version`, forward or back; what a step that is taken back keeps goes with it.
///
/// # Errors
///
/// As [`apply`], and when there is no such version.
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

/// Each step of each owner, known here or not.
///
/// # Errors
///
/// When the database cannot be read.
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

/// Refuses a database that is older or newer than the program.
///
/// # Errors
///
/// Which steps are missing, and how to take them.
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
        "the database is older than this program, it lacks {}: run `gateway db migrate` with this program's settings, or \
         set `store.migrate` to true",
        missing.join(", ")
    )))
}

/// What is applied of one owner's; nothing where nothing ever was.
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
    // PostgreSQL has a code for it, SQLite words.
    error.code().is_some_and(|code| code == "42P01") || error.message().starts_with("no such table")
}
