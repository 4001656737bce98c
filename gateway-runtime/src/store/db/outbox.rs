//! The transactional outbox: events that an author's transaction has written, until the broker has
//! confirmed them.

use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, SqliteConnection, SqlitePool};
#[cfg(feature = "postgres")]
use sqlx::{PgConnection, Postgres, Transaction};

use crate::store::{Db, StoreError, db::Connections};

/// A connection that can write an event to the outbox: to SQLite or PostgreSQL, usually that of a
/// transaction.
///
/// [`Event::store`](crate::Event::store) takes one. Code with it as a bound works with both
/// databases:
///
/// ```
/// use gateway_runtime::{Db, Publisher, db::OutboxConnection, prelude::*};
///
/// /// Stores the event of a paid order. Events of one order stay in their order.
/// async fn store_paid(
///     publisher: &Publisher,
///     connection: &mut impl OutboxConnection,
///     order: i64,
/// ) -> Result<()> {
///     let event = publisher.event("orders.paid", &order)?;
///     event.ordering_key(order.to_string()).store(connection).await
/// }
///
/// # async fn pay(db: &Db, publisher: &Publisher) -> Result<()> {
/// let mut transaction = db.sqlite()?.begin().await?;
/// store_paid(publisher, &mut *transaction, 7).await?;
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
pub trait OutboxConnection: Send {
    /// Writes an event, as text.
    fn write<'a>(&'a mut self, event: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
}

impl OutboxConnection for SqliteConnection {
    fn write<'a>(&'a mut self, event: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let written = sqlx::query("INSERT INTO outbox (event) VALUES (?)")
                .bind(event)
                .execute(self)
                .await;
            written.map(drop).map_err(failed)
        })
    }
}

#[cfg(feature = "postgres")]
impl OutboxConnection for PgConnection {
    fn write<'a>(&'a mut self, event: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let written = sqlx::query("INSERT INTO outbox (event) VALUES ($1)")
                .bind(event)
                .execute(self)
                .await;
            written.map(drop).map_err(failed)
        })
    }
}

/// A batch of the oldest events of the outbox.
pub(crate) struct OutboxBatch {
    rows: Vec<(i64, String)>,
    lock: OutboxLock,
}

/// The lock that keeps other gateways from publishing the same events.
enum OutboxLock {
    /// No lock: a file belongs to one gateway. If two use it, events may be published twice.
    Sqlite(SqlitePool),
    /// The transaction that holds an advisory lock until its end.
    #[cfg(feature = "postgres")]
    Postgres(Transaction<'static, Postgres>),
}

/// Finds one row, or none in an empty outbox.
const IS_THERE_ANY: &str = "SELECT 'some' FROM outbox WHERE ?1 NOT NULL LIMIT 1";

/// The number of the advisory lock; any number without another use.
#[cfg(feature = "postgres")]
const LOCK: i64 = 0x6761_7465_6f75_7462;

impl Db {
    /// Returns the oldest events with numbers above `after`, at most `max`; none while another
    /// gateway holds the lock.
    pub(crate) async fn outbox(&self, after: i64, max: i64) -> Result<OutboxBatch, StoreError> {
        match &self.0 {
            Connections::Sqlite(pool, polled) => {
                if polled.read(IS_THERE_ANY, "0").is_some_and(|rows| rows.is_empty()) {
                    return Ok(OutboxBatch {
                        rows: Vec::new(),
                        lock: OutboxLock::Sqlite(pool.clone()),
                    });
                }
                let rows =
                    "SELECT number, event FROM outbox WHERE number > ? ORDER BY number LIMIT ?";
                let rows = sqlx::query_as(rows).bind(after).bind(max);
                Ok(OutboxBatch {
                    rows: rows.fetch_all(pool).await.map_err(failed)?,
                    lock: OutboxLock::Sqlite(pool.clone()),
                })
            }
            #[cfg(feature = "postgres")]
            Connections::Postgres(pool) => {
                let mut transaction = pool.begin().await.map_err(failed)?;
                let lock = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)").bind(LOCK);
                let rows = if lock.fetch_one(&mut *transaction).await.map_err(failed)? {
                    let rows = "SELECT number, event FROM outbox WHERE number > $1 ORDER BY number \
                        LIMIT $2";
                    let rows = sqlx::query_as(rows).bind(after).bind(max);
                    rows.fetch_all(&mut *transaction).await.map_err(failed)?
                } else {
                    Vec::new()
                };
                Ok(OutboxBatch { rows, lock: OutboxLock::Postgres(transaction) })
            }
        }
    }
}

impl OutboxBatch {
    /// Returns each event with its number.
    pub(crate) fn rows(&self) -> &[(i64, String)] {
        &self.rows
    }

    /// Deletes the events that the broker has confirmed.
    pub(crate) async fn delete(self, numbers: &[i64]) -> Result<(), StoreError> {
        if numbers.is_empty() {
            return Ok(());
        }
        match self.lock {
            OutboxLock::Sqlite(pool) => {
                let marks = vec!["?"; numbers.len()].join(", ");
                // The formatted part is question marks only.
                let delete = AssertSqlSafe(format!("DELETE FROM outbox WHERE number IN ({marks})"));
                let delete =
                    numbers.iter().fold(sqlx::query(delete), |query, number| query.bind(*number));
                delete.execute(&pool).await.map_err(failed)?;
            }
            #[cfg(feature = "postgres")]
            OutboxLock::Postgres(mut transaction) => {
                let delete = sqlx::query("DELETE FROM outbox WHERE number = ANY($1)").bind(numbers);
                delete.execute(&mut *transaction).await.map_err(failed)?;
                transaction.commit().await.map_err(failed)?;
            }
        }
        Ok(())
    }
}

fn failed(error: sqlx::Error) -> StoreError {
    StoreError::unavailable(format!("the outbox: {error}")).with_source(error)
}
