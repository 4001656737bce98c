//! The `[store]` section: the location of the store.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    base::{secret::Secret, start_error::StartError},
    store::{
        Db, MigrationStatus, Migrations, Sqlite, Store, StoreError,
        migrations::{GATEWAY, require},
        sql::sqlite,
    },
};

/// `[store]`: the location of the store. Without `path` and `url` nothing is recorded, and
/// idempotency keys are not honoured.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// The SQLite file, created if it does not exist; for one gateway.
    pub path: Option<PathBuf>,
    /// The PostgreSQL database, `postgres://user:password@host/database`; for any number of
    /// gateways. Needs the feature `postgres`.
    pub url: Option<Secret>,
    /// The most connections to PostgreSQL.
    #[schemars(range(min = 1))]
    pub connections: u32,
    /// Whether the gateway applies missing migrations when it starts. If not, it refuses to start
    /// with an older database, and `gateway db migrate` applies them.
    pub migrate: bool,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { path: None, url: None, connections: 4, migrate: true }
    }
}

/// The configured database: a file or a server.
enum DatabaseLocation<'a> {
    File(&'a Path),
    Server(&'a Secret),
}

impl StoreSettings {
    /// Opens the store; `None` if none is configured. `own` are the author's migrations.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be opened, both locations are set, or the migrations differ from
    /// the program's.
    pub(crate) async fn open(&self, own: &[Migrations]) -> Result<Option<Store>, StartError> {
        let Some(location) = self.location()? else { return Ok(None) };
        if self.migrate {
            self.migrate(own).await?;
        } else {
            require(&self.status(own).await?).map_err(as_start_error)?;
        }
        match location {
            DatabaseLocation::File(path) => Sqlite::open_unmigrated(path).await.map(Store::new),
            DatabaseLocation::Server(url) => self.connect(url).await,
        }
        .map(Some)
        .map_err(as_start_error)
    }

    /// Returns the database, connected to on first use; `None` if none is configured.
    ///
    /// # Errors
    ///
    /// Fails if both locations are set, or one is invalid.
    pub(crate) fn lazy(&self) -> Result<Option<Db>, StartError> {
        let Some(location) = self.location()? else { return Ok(None) };
        Ok(Some(match location {
            DatabaseLocation::File(path) => sqlite::lazy(path),
            DatabaseLocation::Server(url) => self.server_lazy(url).map_err(as_start_error)?,
        }))
    }

    /// Applies the missing migrations of the gateway and of the author.
    ///
    /// # Errors
    ///
    /// Fails if a step fails, or the database is newer than the program.
    pub(crate) async fn migrate(&self, own: &[Migrations]) -> Result<(), StartError> {
        self.migrator().await?.migrate(&with_gateway(own)).await.map_err(as_start_error)
    }

    /// Migrates one owner's tables to a version, forward or back.
    ///
    /// # Errors
    ///
    /// Fails as [`migrate`](Self::migrate) does, and if the owner or the version does not exist.
    pub(crate) async fn migrate_to(
        &self,
        own: &[Migrations],
        owner: &str,
        version: i64,
    ) -> Result<(), StartError> {
        let all = with_gateway(own);
        let Some(owned) = all.iter().find(|owned| owned.owner == owner) else {
            let owners: Vec<_> = all.iter().map(|owned| owned.owner).collect();
            return Err(StartError::new(format!(
                "unknown owner of migrations `{owner}`\nhelp: use one of {}",
                owners.join(", ")
            )));
        };
        self.migrator().await?.migrate_to(owned, version).await.map_err(as_start_error)
    }

    /// Returns each migration, and whether the database has it.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be read.
    pub(crate) async fn status(
        &self,
        own: &[Migrations],
    ) -> Result<Vec<MigrationStatus>, StartError> {
        let all = with_gateway(own);
        if let Some(DatabaseLocation::File(path)) = self.location()?
            && !path.exists()
        {
            // A query for the status must not create the file.
            let lacks = |owner: &'static str| {
                move |step: &crate::store::Migration| MigrationStatus {
                    owner,
                    version: step.version,
                    name: step.name,
                    is_applied: false,
                }
            };
            return Ok(all
                .iter()
                .flat_map(|owned| owned.steps.iter().map(lacks(owned.owner)))
                .collect());
        }
        self.migrator().await?.status(&all).await.map_err(as_start_error)
    }

    async fn migrator(&self) -> Result<Db, StartError> {
        match self.location()? {
            None => Err(StartError::new(
                "no database is configured\n\
                 help: set `path` or `url` in [store] (in the environment: `DB_URL`)",
            )),
            Some(DatabaseLocation::File(path)) => {
                sqlite::migrator(path).await.map_err(as_start_error)
            }
            Some(DatabaseLocation::Server(url)) => {
                self.server_migrator(url).await.map_err(as_start_error)
            }
        }
    }

    /// Returns whether a database is configured.
    pub(crate) fn is_configured(&self) -> bool {
        self.path.is_some() || self.url.is_some()
    }

    /// Checks the settings without a connection.
    ///
    /// # Errors
    ///
    /// Fails if both locations are set, or one is invalid.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        self.location().map(drop)
    }

    fn location(&self) -> Result<Option<DatabaseLocation<'_>>, StartError> {
        match (&self.path, &self.url) {
            (None, None) => Ok(None),
            (Some(path), None) if path.as_os_str().is_empty() => Err(StartError::new(
                "`store.path` in the configuration: the path is empty\n\
                 help: write the path of a file, such as `gateway.db`; without `path` and `url` \
                 nothing is recorded",
            )),
            (Some(path), None) => Ok(Some(DatabaseLocation::File(path))),
            (None, Some(url)) => match unsupported(url.expose()) {
                Some(problem) => {
                    Err(StartError::new(format!("`store.url` in the configuration: {problem}")))
                }
                None => Ok(Some(DatabaseLocation::Server(url))),
            },
            (Some(_), Some(_)) => Err(StartError::new(
                "[store]: both `path` and `url` are set\n\
                 help: remove one of them (in the environment: `DB_URL` is `url`)",
            )),
        }
    }
}

/// Returns why a URL is not one of PostgreSQL. The message repeats nothing after the scheme, which
/// may include a password.
fn unsupported(url: &str) -> Option<String> {
    const FORM: &str = "write `postgres://user:password@host/database`";
    let Some((scheme, _)) = url.split_once("://") else {
        return Some(format!("the URL has no scheme\nhelp: {FORM}"));
    };
    let is_scheme = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    match scheme {
        "postgres" | "postgresql" => None,
        "sqlite" | "file" => {
            Some(format!("the URL is that of a file\nhelp: use `store.path` for SQLite, or {FORM}"))
        }
        _ if scheme.bytes().all(is_scheme) && !scheme.is_empty() => Some(format!(
            "`{scheme}` databases are not supported\nhelp: {FORM}, or use `store.path` for SQLite"
        )),
        _ => Some(format!("the URL has no valid scheme\nhelp: {FORM}")),
    }
}

fn as_start_error(error: impl Into<StoreError>) -> StartError {
    StartError::new(format!("[store]: {}", error.into()))
}

/// Returns all migrations, the gateway's first: an author's may refer to its tables.
fn with_gateway(own: &[Migrations]) -> Vec<Migrations> {
    [GATEWAY].into_iter().chain(own.iter().copied()).collect()
}

#[cfg(feature = "postgres")]
impl StoreSettings {
    async fn connect(&self, url: &Secret) -> Result<Store, StoreError> {
        crate::store::Postgres::connect_unmigrated(url, self.connections).await.map(Store::new)
    }

    async fn server_migrator(&self, url: &Secret) -> Result<Db, StoreError> {
        crate::store::sql::postgres::migrator(url).await
    }

    fn server_lazy(&self, url: &Secret) -> Result<Db, StoreError> {
        crate::store::sql::postgres::lazy(url, self.connections)
    }
}

#[cfg(not(feature = "postgres"))]
#[expect(clippy::unused_async, clippy::unused_self, reason = "as with the feature `postgres`")]
impl StoreSettings {
    async fn connect(&self, _: &Secret) -> Result<Store, StoreError> {
        Err(without_postgres())
    }

    async fn server_migrator(&self, _: &Secret) -> Result<Db, StoreError> {
        Err(without_postgres())
    }

    fn server_lazy(&self, _: &Secret) -> Result<Db, StoreError> {
        Err(without_postgres())
    }
}

#[cfg(not(feature = "postgres"))]
fn without_postgres() -> StoreError {
    StoreError::rejected(
        "`url` requires PostgreSQL, which this program was built without\n\
         help: add `features = [\"postgres\"]` to gateway-runtime in Cargo.toml, or use `path`",
    )
}
