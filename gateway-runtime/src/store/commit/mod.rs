//! Decides what a batch of changes does. All of a batch happens in one transaction, so what is decided here for many
//! calls costs a few statements and one commit.

mod api_keys;
pub(super) mod holds;
mod idempotency_keys;
mod ledger;
mod operator_changes;
mod request_log;
mod writability;

use std::{sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::store::{
    Audit, BoxFuture, ChangeRecord, Command, CommandOutcome, Database, Hold, RequestQuery,
    RequestRecord, Statement, StoreError, Table, Transaction, Value,
    commit::{
        api_keys::Keys, idempotency_keys::Claims, ledger::LockedBalances,
        operator_changes::OperatorChanges, request_log::KnownKinds, writability::Writing,
    },
    sql::statements::{
        AUDIT, COUNTED_BYTES, LAST_CHANGE, OVERDUE_HOLDS, PLAN_OF, SETTINGS,
        requests::requests_named,
    },
};

/// How long a database may take over one batch before it counts as away.
pub(super) const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The books, kept in a database.
#[derive(Clone, Debug)]
pub struct Store {
    database: Arc<dyn Database>,
    kinds: Arc<KnownKinds>,
    writing: Writing,
}

impl Store {
    /// The books in `database`, whose migrations have been applied.
    #[must_use]
    pub fn new(database: impl Database + 'static) -> Self {
        Self { database: Arc::new(database), kinds: Arc::default(), writing: Writing::default() }
    }

    /// Carries out the journal, which writes into these books, where that is good for both.
    pub(super) fn drive(&self, journal: BoxFuture<'static, ()>) -> JoinHandle<()> {
        self.database.spawn_writer(journal)
    }

    /// Whether the journal runs on a thread of its own.
    pub(super) fn has_writer_thread(&self) -> bool {
        self.database.has_writer_thread()
    }

    /// Carries out all of `changes` or none, in an order in which they could have come, and says what came of each.
    ///
    /// # Errors
    ///
    /// When the database is away, slow or full. Nothing was changed, unless [`StoreError::may_have_happened`].
    pub async fn commit(&self, changes: &[Command]) -> Result<Vec<CommandOutcome>, StoreError> {
        let outcomes = self.carry_out(changes).await;
        self.writing.ended(&outcomes);
        outcomes
    }

    async fn carry_out(&self, changes: &[Command]) -> Result<Vec<CommandOutcome>, StoreError> {
        let work = async {
            let mut write = Batch(self.database.begin().await?);
            let (outcomes, kinds) = write.all(changes, &self.kinds).await?;
            Ok((write, outcomes, kinds))
        };
        let (write, outcomes, kinds) = in_time(work, StoreError::unavailable).await?;
        in_time(write.0.commit(), StoreError::ambiguous).await?;
        self.kinds.learn(kinds);
        Ok(outcomes)
    }

    /// The records of these calls, newest first.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn requests(&self, calls: &[&str]) -> Result<Vec<RequestRecord>, StoreError> {
        self.read(&requests_named(), &json!({ "calls": calls })).await
    }

    /// The newest records, newest first.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn recent_requests(&self, count: u32) -> Result<Vec<RequestRecord>, StoreError> {
        self.search(&RequestQuery::default(), count).await
    }

    /// What an account has, by currency, and what its entries and holds add up to.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn audit(&self, account: &str) -> Result<Vec<Audit>, StoreError> {
        self.read(&AUDIT, &[account]).await
    }

    /// The number of the last change that an operator made; 0 before the first.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn version(&self) -> Result<i64, StoreError> {
        Ok(self.read(&LAST_CHANGE, &[0]).await?.pop().unwrap_or(0))
    }

    /// What operators have set after one change and up to another, and holds after that, oldest first: all price lists, the
    /// latest limits, the latest of each provider.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn settings(&self, after: i64, until: i64) -> Result<Vec<ChangeRecord>, StoreError> {
        self.read(&SETTINGS, &[after, until]).await
    }

    /// The plan of an account; none when there is no such account.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn plan(&self, account: &str) -> Result<Option<String>, StoreError> {
        Ok(self.read(&PLAN_OF, &[account]).await?.pop())
    }

    /// Money set aside for calls that must have ended before `time` (microseconds since 1970) and did not: their gateways
    /// are gone. A few hundred at a time.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn abandoned_holds(&self, time: i64) -> Result<Vec<Hold>, StoreError> {
        let rows: Vec<holds::HoldRow> = self.read(&OVERDUE_HOLDS, &[time]).await?;
        Ok(rows.into_iter().map(Hold::from).collect())
    }

    /// How many bytes the idempotency keys take of callers who are not known, with the answers that are kept for them.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn anonymous_bytes(&self) -> Result<u64, StoreError> {
        Ok(self.read(&COUNTED_BYTES, &[0]).await?.pop().unwrap_or(0))
    }

    pub(in crate::store) async fn read<T: DeserializeOwned>(
        &self,
        statement: &Statement,
        argument: &impl Serialize,
    ) -> Result<Vec<T>, StoreError> {
        let argument = to_json(argument)?;
        let rows =
            in_time(self.database.read(statement, &argument), StoreError::unavailable).await?;
        rows.iter().map(|row| from_json(row)).collect()
    }
}

async fn in_time<T>(
    work: impl Future<Output = Result<T, StoreError>>,
    late: fn(&'static str) -> StoreError,
) -> Result<T, StoreError> {
    match tokio::time::timeout(COMMIT_TIMEOUT, work).await {
        Ok(done) => done,
        Err(_) => Err(late("the database did not answer in time")),
    }
}

fn to_json(rows: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(rows)
        .map_err(|error| StoreError::rejected(format!("a row cannot be written: {error}")))
}

fn from_json<T: DeserializeOwned>(row: &str) -> Result<T, StoreError> {
    serde_json::from_str(row)
        .map_err(|error| StoreError::rejected(format!("a row cannot be read: {error}: {row}")))
}

/// A batch on its way.
struct Batch(Box<dyn Transaction>);

impl Batch {
    /// What came of each change, and which kinds of requests were new.
    async fn all(
        &mut self,
        changes: &[Command],
        known: &KnownKinds,
    ) -> Result<(Vec<CommandOutcome>, Vec<i64>), StoreError> {
        let mut outcomes = vec![CommandOutcome::Settled; changes.len()];
        // Balances first, always in the same order: two gateways never wait for each other.
        let mut purse = LockedBalances::open(self, changes, &mut outcomes).await?;
        Claims::write(self, changes, &mut outcomes).await?;
        purse.settle(self, changes, &mut outcomes).await?;
        purse.hold(self, changes, &mut outcomes).await?;
        purse.close(self).await?;
        let kinds = request_log::write(self, changes, &outcomes, known).await?;
        Keys::write(self, changes, &mut outcomes).await?;
        // The last, because nobody else may change settings from here to the end.
        OperatorChanges::write(self, changes, &mut outcomes).await?;
        self.0.flush().await?;
        Ok((outcomes, kinds))
    }

    /// Inserts rows of so many columns; none, and nothing is sent.
    async fn insert<'v, const COLUMNS: usize>(
        &mut self,
        table: &'static Table,
        rows: impl Iterator<Item = [Value<'v>; COLUMNS]>,
    ) -> Result<(), StoreError> {
        let values: Vec<_> = rows.flatten().collect();
        if values.is_empty() { Ok(()) } else { self.0.insert(table, &values).await }
    }

    /// Deletes rows by their keys, and says of each whether it was there.
    async fn delete(
        &mut self,
        table: &'static Table,
        keys: Vec<&str>,
    ) -> Result<Vec<bool>, StoreError> {
        if keys.is_empty() { Ok(Vec::new()) } else { self.0.delete(table, &keys).await }
    }

    /// Carries out a statement that returns nothing for some rows, as [`Transaction::run_later`] says; none, and nothing is sent.
    async fn later<T: Serialize>(
        &mut self,
        statement: &'static Statement,
        rows: Vec<T>,
    ) -> Result<(), StoreError> {
        if rows.is_empty() { Ok(()) } else { self.0.run_later(statement, &to_json(&rows)?).await }
    }

    /// Carries out a statement for some rows; none, and nothing is sent.
    async fn rows<T: Serialize, R: DeserializeOwned>(
        &mut self,
        statement: &'static Statement,
        rows: Vec<T>,
    ) -> Result<Vec<R>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let argument = to_json(&rows)?;
        self.0.run(statement, &argument).await?.iter().map(|row| from_json(row)).collect()
    }
}
