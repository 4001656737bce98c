//! Opening of the configured database: the store, the author's connections, and migrations.

use crate::{
    base::{secret::Secret, start_error::StartError},
    store::{
        Db, Migration, MigrationStatus, Migrations, Sqlite, Store, StoreError, StoreSettings,
        migrations::{GATEWAY, require},
        settings::DatabaseLocation,
        sql::sqlite,
    },
};

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
                move |step: &Migration| MigrationStatus {
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
         help: add the feature `postgres` to gateway-runtime in Cargo.toml, or use `path`",
    )
}
