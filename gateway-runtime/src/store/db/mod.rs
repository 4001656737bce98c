//! The configured database, for tables of services and providers.

pub(super) mod outbox;

#[cfg(feature = "postgres")]
use sqlx::PgPool;
use sqlx::SqlitePool;

use crate::store::{
    Migrations, StoreError,
    migrations::{self, Dialect, MigrationStatus},
    sql::sqlite::polled_reader::PolledReader,
};

/// The database of `[store]`; a field or an argument of services and providers.
///
/// It has connections of its own, opened on first use, so that a slow query of an author's does not
/// delay the store.
///
/// Tables of authors need migrations: `Gateway::migrations`.
///
/// ```
/// use gateway_runtime::{Db, prelude::*, sqlx};
///
/// /// A guest book.
/// #[service(name = "guestbook")]
/// struct Guestbook {
///     db: Db,
/// }
///
/// #[service]
/// impl Guestbook {
///     /// Returns the number of entries.
///     #[expose_method(GET)]
///     async fn count(&self) -> Result<i64> {
///         let count = sqlx::query_scalar("SELECT count(*) FROM guestbook");
///         Ok(count.fetch_one(self.db.sqlite()?).await?)
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Db(pub(super) Connections);

#[derive(Clone, Debug)]
pub(super) enum Connections {
    Sqlite(SqlitePool, PolledReader),
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
}

impl Db {
    /// Returns connections to SQLite. SQLite has one writer at a time: keep transactions short.
    ///
    /// # Errors
    ///
    /// Fails if PostgreSQL is configured.
    pub fn sqlite(&self) -> Result<&SqlitePool, StoreError> {
        match &self.0 {
            Connections::Sqlite(pool, _) => Ok(pool),
            #[cfg(feature = "postgres")]
            Connections::Postgres(_) => {
                Err(StoreError::rejected("SQLite was requested, but PostgreSQL is configured"))
            }
        }
    }

    /// Returns connections to PostgreSQL.
    ///
    /// # Errors
    ///
    /// Fails if SQLite is configured.
    #[cfg(feature = "postgres")]
    pub fn postgres(&self) -> Result<&PgPool, StoreError> {
        match &self.0 {
            Connections::Postgres(pool) => Ok(pool),
            Connections::Sqlite(..) => {
                Err(StoreError::rejected("PostgreSQL was requested, but SQLite is configured"))
            }
        }
    }

    /// Applies missing migrations.
    pub(super) async fn migrate(&self, all: &[Migrations]) -> Result<(), StoreError> {
        match &self.0 {
            Connections::Sqlite(pool, _) => migrations::apply(pool, Dialect::Sqlite, all).await,
            #[cfg(feature = "postgres")]
            Connections::Postgres(pool) => migrations::apply(pool, Dialect::Postgres, all).await,
        }
    }

    /// Migrates one owner's tables to a version, forward or back.
    pub(super) async fn migrate_to(
        &self,
        owned: &Migrations,
        version: i64,
    ) -> Result<(), StoreError> {
        match &self.0 {
            Connections::Sqlite(pool, _) => {
                migrations::migrate_to(pool, Dialect::Sqlite, owned, version).await
            }
            #[cfg(feature = "postgres")]
            Connections::Postgres(pool) => {
                migrations::migrate_to(pool, Dialect::Postgres, owned, version).await
            }
        }
    }

    /// Returns each migration, and whether the database has it.
    pub(super) async fn status(
        &self,
        all: &[Migrations],
    ) -> Result<Vec<MigrationStatus>, StoreError> {
        match &self.0 {
            Connections::Sqlite(pool, _) => migrations::status(pool, Dialect::Sqlite, all).await,
            #[cfg(feature = "postgres")]
            Connections::Postgres(pool) => migrations::status(pool, Dialect::Postgres, all).await,
        }
    }
}
