//! The commit of a batch of commands.
//!
//! All commands of a batch run in one transaction, so many calls together cost a few statements and
//! one commit.

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

/// The time limit of one batch; beyond it the database counts as unavailable.
pub(super) const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);

/// The store: accounts and their ledger, idempotency keys, the request log, API keys and operators'
/// changes, in one database.
#[derive(Clone, Debug)]
pub struct Store {
    database: Arc<dyn Database>,
    kinds: Arc<KnownKinds>,
    writing: Writing,
}

impl Store {
    /// Creates a store in `database`, whose migrations must be applied.
    #[must_use]
    pub fn new(database: impl Database + 'static) -> Self {
        Self { database: Arc::new(database), kinds: Arc::default(), writing: Writing::default() }
    }

    /// Spawns the store writer on the thread or runtime that suits the database.
    pub(super) fn spawn_writer(&self, writer: BoxFuture<'static, ()>) -> JoinHandle<()> {
        self.database.spawn_writer(writer)
    }

    /// Returns whether the store writer runs on a thread of its own.
    pub(super) fn has_writer_thread(&self) -> bool {
        self.database.has_writer_thread()
    }

    /// Executes all of `changes` or none, as if one after another in some order, and returns the
    /// outcome of each.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable, slow or full. Nothing was changed, unless the error
    /// [is ambiguous](StoreError::is_ambiguous).
    pub async fn commit(&self, changes: &[Command]) -> Result<Vec<CommandOutcome>, StoreError> {
        let outcomes = self.execute(changes).await;
        self.writing.ended(&outcomes);
        outcomes
    }

    async fn execute(&self, changes: &[Command]) -> Result<Vec<CommandOutcome>, StoreError> {
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

    /// Returns the records of these calls, newest first.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn requests(&self, calls: &[&str]) -> Result<Vec<RequestRecord>, StoreError> {
        self.read(&requests_named(), &json!({ "calls": calls })).await
    }

    /// Returns the newest records, newest first.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn recent_requests(&self, count: u32) -> Result<Vec<RequestRecord>, StoreError> {
        self.search(&RequestQuery::default(), count).await
    }

    /// Returns the balances of an account by currency, beside the sums of its entries and holds.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn audit(&self, account: &str) -> Result<Vec<Audit>, StoreError> {
        self.read(&AUDIT, &[account]).await
    }

    /// Returns the number of the last change by an operator; 0 before the first.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn version(&self) -> Result<i64, StoreError> {
        Ok(self.read(&LAST_CHANGE, &[0]).await?.pop().unwrap_or(0))
    }

    /// Returns the operators' changes after number `after`, up to `until`, that are in force then,
    /// oldest first: all price lists, the latest limits, the latest change of each provider.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn settings(&self, after: i64, until: i64) -> Result<Vec<ChangeRecord>, StoreError> {
        self.read(&SETTINGS, &[after, until]).await
    }

    /// Returns the plan of an account; `None` if the account does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn plan(&self, account: &str) -> Result<Option<String>, StoreError> {
        Ok(self.read(&PLAN_OF, &[account]).await?.pop())
    }

    /// Returns the holds of calls that must have ended before `time` (microseconds since 1970) and
    /// did not, because their gateways are gone. Returns a few hundred at a time.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn abandoned_holds(&self, time: i64) -> Result<Vec<Hold>, StoreError> {
        let rows: Vec<holds::HoldRow> = self.read(&OVERDUE_HOLDS, &[time]).await?;
        Ok(rows.into_iter().map(Hold::from).collect())
    }

    /// Returns the bytes that the idempotency keys of anonymous callers take, stored answers
    /// included.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
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

/// A batch of commands in an open transaction.
struct Batch(Box<dyn Transaction>);

impl Batch {
    /// Executes all commands. Returns the outcome of each, and the ids of the new request kinds.
    async fn all(
        &mut self,
        changes: &[Command],
        known: &KnownKinds,
    ) -> Result<(Vec<CommandOutcome>, Vec<i64>), StoreError> {
        let mut outcomes = vec![CommandOutcome::Settled; changes.len()];
        // Balances are locked first and always in the same order, so that two gateways cannot
        // deadlock.
        let mut balances = LockedBalances::open(self, changes, &mut outcomes).await?;
        Claims::write(self, changes, &mut outcomes).await?;
        balances.settle(self, changes, &mut outcomes).await?;
        balances.hold(self, changes, &mut outcomes).await?;
        balances.close(self).await?;
        let kinds = request_log::write(self, changes, &outcomes, known).await?;
        Keys::write(self, changes, &mut outcomes).await?;
        // Operators' changes come last: the lock that they take excludes other gateways until the
        // end.
        OperatorChanges::write(self, changes, &mut outcomes).await?;
        self.0.flush().await?;
        Ok((outcomes, kinds))
    }

    /// Inserts rows of `COLUMNS` columns. Sends nothing if there are no rows.
    async fn insert<'v, const COLUMNS: usize>(
        &mut self,
        table: &'static Table,
        rows: impl Iterator<Item = [Value<'v>; COLUMNS]>,
    ) -> Result<(), StoreError> {
        let values: Vec<_> = rows.flatten().collect();
        if values.is_empty() { Ok(()) } else { self.0.insert(table, &values).await }
    }

    /// Deletes rows by their keys, and returns whether each existed. Sends nothing if there are no
    /// keys.
    async fn delete(
        &mut self,
        table: &'static Table,
        keys: Vec<&str>,
    ) -> Result<Vec<bool>, StoreError> {
        if keys.is_empty() { Ok(Vec::new()) } else { self.0.delete(table, &keys).await }
    }

    /// Executes a statement without results for some rows, deferred as in
    /// [`Transaction::run_later`]. Sends nothing if there are no rows.
    async fn later<T: Serialize>(
        &mut self,
        statement: &'static Statement,
        rows: Vec<T>,
    ) -> Result<(), StoreError> {
        if rows.is_empty() { Ok(()) } else { self.0.run_later(statement, &to_json(&rows)?).await }
    }

    /// Executes a statement for some rows, and returns its results. Sends nothing if there are no
    /// rows.
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
