//! PostgreSQL, for several gateways that share a store.
//!
//! The store writer's transactions have a connection of their own. A pool would test it before and
//! after each of them, which costs two round trips; a connection that has ended is detected by its
//! `BEGIN`, and replaced.

mod batch;
mod connect;
mod deferred;
mod error;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgPool};

pub(in crate::store) use crate::store::sql::postgres::connect::{lazy, migrator};
use crate::{
    base::secret::Secret,
    store::{
        Database, Statement, StoreError, Transaction,
        migrations::GATEWAY,
        sql::postgres::{
            batch::{PostgresBatch, PostgresWriter},
            connect::{options, pooled},
            error::map_error,
        },
    },
};

/// A store on a server.
#[derive(Clone, Debug)]
pub struct Postgres {
    writer: Arc<PostgresWriter>,
    readers: PgPool,
}

impl Postgres {
    /// Connects to `url` (`postgres://user:password@host/database`), and applies the missing
    /// migrations.
    ///
    /// # Errors
    ///
    /// Fails if the server cannot be reached, rejects the credentials, or holds a database of a
    /// newer version.
    pub async fn connect(url: &Secret, connections: u32) -> Result<Self, StoreError> {
        connect::migrator(url).await?.migrate(&[GATEWAY]).await?;
        Self::connect_unmigrated(url, connections).await
    }

    /// Connects to a database whose migrations must be applied.
    pub(in crate::store) async fn connect_unmigrated(
        url: &Secret,
        connections: u32,
    ) -> Result<Self, StoreError> {
        let options = options(url)?;
        let readers = pooled(options.clone(), connections.saturating_sub(1).max(1)).await?;
        Ok(Self { writer: Arc::new(PostgresWriter::new(options)), readers })
    }
}

impl Database for Postgres {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async { Ok(Box::new(PostgresBatch::begin(&self.writer).await?) as _) })
    }

    fn read<'a>(
        &'a self,
        statement: &'a Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let query = sqlx::query_scalar(AssertSqlSafe(statement.postgres.clone()))
            .bind(argument)
            .persistent(!statement.is_dynamic());
        Box::pin(async { query.fetch_all(&self.readers).await.map_err(map_error) })
    }
}
