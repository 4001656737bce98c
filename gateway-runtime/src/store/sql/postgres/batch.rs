//! The transactions of the store writer.
//!
//! The cost of a batch is its round trips to the server. So writes that return nothing are
//! deferred, and sent with the next statement that returns something, or before the commit, as one
//! statement: each write but the last is a `WITH` query of it. All of these read the data as it was
//! before the statement, so no write may depend on another; foreign keys are checked after all of
//! them.

use std::{collections::HashSet, sync::Arc};

use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use crate::store::{
    Statement, StoreError, Table, Transaction, Value,
    sql::postgres::{connect::CONNECT_TIMEOUT, deferred::Deferred, error::map_error},
};

/// The writing connection, while there is one.
#[derive(Debug)]
pub(super) struct PostgresWriter {
    options: PgConnectOptions,
    connection: Arc<Mutex<Option<PgConnection>>>,
}

impl PostgresWriter {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, connection: Arc::default() }
    }

    async fn connect(&self) -> Result<PgConnection, StoreError> {
        match timeout(CONNECT_TIMEOUT, self.options.connect()).await {
            Ok(connection) => connection.map_err(map_error),
            Err(_) => {
                Err(StoreError::unavailable("PostgreSQL did not accept a connection in time"))
            }
        }
    }
}

/// A transaction. If it is dropped before its end, the connection is closed: the server rolls back,
/// and no pending reply can be mistaken for a later one.
pub(super) struct PostgresBatch {
    connection: OwnedMutexGuard<Option<PgConnection>>,
    deferred: Deferred,
    is_over: bool,
}

impl PostgresBatch {
    pub(super) async fn begin(writer: &PostgresWriter) -> Result<Self, StoreError> {
        let mut slot = Arc::clone(&writer.connection).lock_owned().await;
        // The connection stays out of its slot until its state is known.
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => writer.connect().await?,
        };
        if begin(&mut connection).await.is_err() {
            // The server was restarted or has closed the connection.
            connection = writer.connect().await?;
            begin(&mut connection).await.map_err(map_error)?;
        }
        *slot = Some(connection);
        Ok(Self { connection: slot, deferred: Deferred::default(), is_over: false })
    }

    fn connection(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.connection
            .as_mut()
            .ok_or_else(|| StoreError::unavailable("the connection to PostgreSQL has ended"))
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let Some((sql, arguments)) = self.deferred.take() else { return Ok(()) };
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        query.execute(self.connection()?).await.map(drop).map_err(map_error)
    }
}

async fn begin(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::raw_sql("BEGIN").execute(connection).await.map(drop)
}

impl Drop for PostgresBatch {
    fn drop(&mut self) {
        if !self.is_over {
            *self.connection = None;
        }
    }
}

impl Transaction for PostgresBatch {
    fn run<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async move {
            self.flush().await?;
            let query =
                sqlx::query_scalar(AssertSqlSafe(statement.postgres.clone())).bind(argument);
            query.fetch_all(self.connection()?).await.map_err(map_error)
        })
    }

    fn run_later<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(std::future::ready(self.deferred.statement(statement, argument)))
    }

    fn insert<'a>(
        &'a mut self,
        table: &'static Table,
        values: &'a [Value<'a>],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(std::future::ready(self.deferred.insert(table, values)))
    }

    fn delete<'a>(
        &'a mut self,
        table: &'static Table,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        Box::pin(async move {
            self.flush().await?;
            let query = sqlx::query_scalar(AssertSqlSafe(table.delete_all())).bind(keys);
            let deleted: Vec<String> =
                query.fetch_all(self.connection()?).await.map_err(map_error)?;
            let mut deleted: HashSet<String> = deleted.into_iter().collect();
            Ok(keys.iter().map(|key| deleted.remove(*key)).collect())
        })
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(Self::flush(self))
    }

    fn commit(mut self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move {
            self.flush().await?;
            let committed = sqlx::raw_sql("COMMIT").execute(self.connection()?).await;
            committed.map_err(|error| match error {
                sqlx::Error::Database(_) => map_error(error),
                _ => StoreError::ambiguous(format!(
                    "PostgreSQL: connection lost during a commit: {error}"
                ))
                .with_source(error),
            })?;
            self.is_over = true;
            Ok(())
        })
    }
}
