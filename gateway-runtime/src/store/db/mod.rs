//! The configured database, for services and providers that keep something of their own there.

pub(super) mod outbox;

#[cfg(feature = "postgres")]
use sqlx::PgPool;
use sqlx::SqlitePool;

use crate::store::{
    Migrations, StoreError,
    migrations::{self, Dialect, MigrationStatus},
    sql::glance::Glance,
};

/// The database of `[store]`; a field or an argument of services and providers. It has connections of its own, made when the
/// first is asked for, so that nobody's slow query keeps the books waiting.
///
/// What is kept there needs migrations: `Gateway::migrations`.
///
/// ```
/// use gateway_runtime::{Db, prelude::*, sqlx};
///
/// /// What was said.
/// #[service(name = "guestbook")]
/// struct Guestbook {
///     db: Db,
/// }
///
/// #[service]
/// impl Guestbook {
///     /// How many entries there are.
///     #[expose_method(GET)]
///     async fn count(&self) -> Result<i64> {
///         Ok(sqlx::query_scalar("SELECT count(*) FROM guestbook").fetch_one(self.db.sqlite()?).await?)
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Db(pub(super) Connections);

#[derive(Clone, Debug)]
pub(super) enum Connections {
    Sqlite(SqlitePool, Glance),
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
}

impl Db {
    /// Connections to SQLite. It has one writer at a time: keep transactions short.
    ///
    /// # Errors
    ///
    /// When PostgreSQL is configured.
    pub fn sqlite(&self) -> Result<&SqlitePool, StoreError> {
        match &self.0 {
            Connections::Sqlite(pool, _) => Ok(pool),
            #[cfg(feature = "postgres")]
            Connections::Postgres(_) => {
                Err(StoreError::rejected("PostgreSQL is configured, and SQLite was asked for"))
            }
        }
    }

    /// Connections to PostgreSQL.
    ///
    /// # Errors
    ///
    /// When SQLite is configured.
    #[cfg(feature = "postgres")]
    pub fn postgres(&self) -> Result<&PgPool, StoreError> {
        match &self.0 {
            Connections::Postgres(pool) => Ok(pool),
            Connections::Sqlite(..) => {
                Err(StoreError::rejected("SQLite is configured, and PostgreSQL was asked for"))
            }
        }
    }

    /// Applies what it lacks.
    pub(super) async fn migrate(&self, all: &[Migrations]) -> Result<(), StoreError> {
        match &self.0 {
            Connections::Sqlite(pool, _) => migrations::apply(pool, Dialect::Sqlite, all).await,
            #[cfg(feature = "postgres")]
            Connections::Postgres(pool) => migrations::apply(pool, Dialect::Postgres, all).await,
        }
    }

    /// Brings one owner's part of it to a version, forward or back.
    pub(super) async fn migrate_to(
        &self,
        owned: &Migrations,
        version: i64,
    ) -> Result<(), StoreError> {
        match &self.0 {
            Connections::Sqlite(pool, _) => {
                migrations::bring_to(pool, Dialect::Sqlite, owned, version).await
            }
            #[cfg(feature = "postgres")]
            Connections::Postgres(pool) => {
                migrations::bring_to(pool, Dialect::Postgres, owned, version).await
            }
        }
    }

    /// What it has, and what it lacks.
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
