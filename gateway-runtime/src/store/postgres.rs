//! PostgreSQL, for several gateways that share their books.

use std::{collections::HashSet, str::FromStr, time::Duration};

use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    BoxFuture, Column, Database, Db, Statement, StoreError, Table, Transaction, Value, db::Connections,
    migrations::GATEWAY,
};
use crate::secret::Secret;

/// The books on a server.
#[derive(Clone, Debug)]
pub struct Postgres(PgPool);

impl Postgres {
    /// Connects to `url` (`postgres://user:password@host/database`), and applies the migrations that it lacks.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, does not let us in, or holds a database of a newer version.
    pub async fn connect(url: &Secret, connections: u32) -> Result<Self, StoreError> {
        migrator(url).await?.migrate(&[GATEWAY]).await?;
        Self::connect_as_it_is(url, connections).await
    }

    /// Connects to a database whose shape has been seen to.
    pub(super) async fn connect_as_it_is(url: &Secret, connections: u32) -> Result<Self, StoreError> {
        pooled(options(url)?, connections).await.map(Self)
    }
}

/// What migrates the database. A step may take its time, and another process that migrates is waited for; but tables that are
/// in use are not blocked for longer than this by somebody who waits for them.
pub(super) async fn migrator(url: &Secret) -> Result<Db, StoreError> {
    let options = options(url)?.options([("statement_timeout", "0"), ("lock_timeout", "30s")]);
    Ok(Db(Connections::Postgres(pooled(options, 1).await?)))
}

/// Connections that are made when they are asked for.
pub(super) fn on_demand(url: &Secret, connections: u32) -> Result<Db, StoreError> {
    Ok(Db(Connections::Postgres(pool_options(connections).connect_lazy_with(options(url)?))))
}

fn options(url: &Secret) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url.expose())
        // The error would repeat the URL, and with it the password.
        .map_err(|_| StoreError::refused("the URL of PostgreSQL is not like `postgres://user@host/database`"))?
        .application_name("gateway");
    // Nobody waits for an answer any more when these end.
    Ok(options.options([
        ("jit", "off"),
        ("statement_timeout", "5s"),
        ("lock_timeout", "4s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ]))
}

fn pool_options(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(4))
}

async fn pooled(options: PgConnectOptions, connections: u32) -> Result<PgPool, StoreError> {
    let pool = pool_options(connections).connect_with(options).await;
    pool.map_err(|error| StoreError::away(format!("PostgreSQL cannot be reached: {error}")))
}

impl Database for Postgres {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async { Ok(Box::new(Write(self.0.begin().await.map_err(unchanged)?)) as _) })
    }

    fn read<'a>(
        &'a self,
        statement: &'a Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let query = sqlx::query_scalar(AssertSqlSafe(statement.postgres.clone()))
            .bind(argument)
            .persistent(!statement.is_made());
        Box::pin(async { query.fetch_all(&self.0).await.map_err(unchanged) })
    }
}

struct Write(sqlx::Transaction<'static, sqlx::Postgres>);

impl Transaction for Write {
    fn run<'a>(
        &'a mut self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let query = sqlx::query_scalar(AssertSqlSafe(statement.postgres.clone())).bind(argument);
        Box::pin(async { query.fetch_all(&mut *self.0).await.map_err(unchanged) })
    }

    fn insert<'a>(
        &'a mut self,
        table: &'static Table,
        values: &'a [Value<'a>],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut query = sqlx::query(AssertSqlSafe(table.insert_all()));
        for (at, (_, column)) in table.columns.iter().enumerate() {
            let values = values.iter().skip(at).step_by(table.columns.len());
            query = match column {
                Column::Text => query.bind(values.map(Value::text).collect::<Vec<_>>()),
                Column::Integer => query.bind(values.map(Value::integer).collect::<Vec<_>>()),
                Column::Truth => query.bind(values.map(Value::truth).collect::<Vec<_>>()),
            };
        }
        Box::pin(async { query.execute(&mut *self.0).await.map(drop).map_err(unchanged) })
    }

    fn delete<'a>(
        &'a mut self,
        table: &'static Table,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        let query = sqlx::query_scalar(AssertSqlSafe(table.delete_all())).bind(keys);
        Box::pin(async move {
            let deleted: Vec<String> = query.fetch_all(&mut *self.0).await.map_err(unchanged)?;
            let mut deleted: HashSet<String> = deleted.into_iter().collect();
            Ok(keys.iter().map(|key| deleted.remove(*key)).collect())
        })
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async {
            self.0.commit().await.map_err(|error| match error {
                sqlx::Error::Database(_) => unchanged(error),
                _ => StoreError::uncertain(format!("PostgreSQL: lost over a commit: {error}")),
            })
        })
    }
}

fn unchanged(error: sqlx::Error) -> StoreError {
    let message = format!("PostgreSQL: {error}");
    match error.as_database_error() {
        Some(error) if error.is_unique_violation() => StoreError::duplicate(message),
        Some(error) => match &*error.code().unwrap_or_default() {
            // disk_full and lock_not_available
            "53100" => StoreError::full(message),
            "55P03" => StoreError::locked(message),
            code => StoreError::of_code(message, is_refusal(code)),
        },
        None => StoreError::away(message),
    }
}

/// Whether a SQLSTATE is about the statement, and would be the same again: data exceptions, constraints, errors in it. The
/// others are about the server.
fn is_refusal(code: &str) -> bool {
    ["22", "23", "42"].iter().any(|class| code.starts_with(class))
}
