//! PostgreSQL, for several gateways that share their books.

use std::{str::FromStr, time::Duration};

use sqlx::{
    PgPool,
    migrate::Migration,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    BoxFuture, Database, Statement, StoreError, Transaction,
    migrations::{self, migration},
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
        let pool = pool(url, connections).await?;
        migrations::apply(&pool, steps()).await?;
        Ok(Self(pool))
    }

    /// Takes back the migrations after `version`, and with them what they keep.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn take_back(url: &Secret, version: i64) -> Result<(), StoreError> {
        migrations::take_back(&pool(url, 1).await?, steps(), version).await
    }
}

fn steps() -> Vec<[Migration; 2]> {
    vec![migration!(1, "books", "postgres/0001_books"), migration!(2, "operator", "postgres/0002_operator")]
}

async fn pool(url: &Secret, connections: u32) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url.expose())
        // The error would repeat the URL, and with it the password.
        .map_err(|_| StoreError::refused("the URL of PostgreSQL is not like `postgres://user@host/database`"))?
        .application_name("gateway")
        // Nobody waits for an answer any more when these end.
        .options([("statement_timeout", "5s"), ("lock_timeout", "4s"), ("idle_in_transaction_session_timeout", "10s")]);
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(4))
        .connect_with(options)
        .await
        .map_err(|error| StoreError::away(format!("PostgreSQL cannot be reached: {error}")))
}

impl Database for Postgres {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async { Ok(Box::new(Write(self.0.begin().await.map_err(unchanged)?)) as _) })
    }

    fn read<'a>(
        &'a self,
        statement: &'static Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        let query = sqlx::query_scalar(statement.postgres).bind(argument);
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
        let query = sqlx::query_scalar(statement.postgres).bind(argument);
        Box::pin(async { query.fetch_all(&mut *self.0).await.map_err(unchanged) })
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
    StoreError::of_statement("PostgreSQL", &error, is_refusal)
}

/// Whether a SQLSTATE is about the statement, and would be the same again: data exceptions, constraints, errors in it. The
/// others are about the server.
fn is_refusal(code: &str) -> bool {
    ["22", "23", "42"].iter().any(|class| code.starts_with(class))
}
