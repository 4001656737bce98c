//! The commit of a batch of commands.
//!
//! All commands of a batch run in one transaction, so many calls together cost a few statements and
//! one commit.

mod api_keys;
mod balance_key;
mod batch;
mod credits;
mod entry;
pub(super) mod holds;
mod idempotency_keys;
mod ledger;
mod operator_changes;
mod request_log;
mod writability;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{runtime::Handle, task::JoinHandle};

use crate::store::{
    Command, CommandOutcome, Database, Statement, StoreError,
    commit::{
        api_keys::Keys,
        batch::Batch,
        credits::open_accounts,
        idempotency_keys::Claims,
        ledger::LockedBalances,
        operator_changes::OperatorChanges,
        request_log::KnownKinds,
        writability::{RECENT_TIME, Writing},
    },
    json_rows::{from_json, to_json},
    sql::statements::WRITE_SOMETHING,
    time_limit::{COMMIT_TIMEOUT, within_limit},
};

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

    /// Executes all of `commands` or none, as if one after another in some order, and returns the
    /// outcome of each.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable, slow or full. Nothing was changed, unless the error
    /// [is ambiguous](StoreError::is_ambiguous).
    pub async fn commit(&self, commands: &[Command]) -> Result<Vec<CommandOutcome>, StoreError> {
        let outcomes = self.execute(commands).await;
        self.writing.ended(&outcomes);
        outcomes
    }

    async fn execute(&self, commands: &[Command]) -> Result<Vec<CommandOutcome>, StoreError> {
        let work = async {
            let mut batch = Batch(self.database.begin().await?);
            let (outcomes, kinds) = execute(&mut batch, commands, &self.kinds).await?;
            Ok((batch, outcomes, kinds))
        };
        let (batch, outcomes, kinds) = within_limit(work, StoreError::unavailable).await?;
        within_limit(batch.0.commit(), StoreError::ambiguous).await?;
        self.kinds.learn(kinds);
        Ok(outcomes)
    }

    pub(in crate::store) async fn read<T: DeserializeOwned>(
        &self,
        statement: &Statement,
        argument: &impl Serialize,
    ) -> Result<Vec<T>, StoreError> {
        let argument = to_json(argument)?;
        let rows =
            within_limit(self.database.read(statement, &argument), StoreError::unavailable).await?;
        rows.iter().map(|row| from_json(row)).collect()
    }
}

/// Executes all commands. Returns the outcome of each, and the ids of the new request kinds.
async fn execute(
    batch: &mut Batch,
    commands: &[Command],
    known: &KnownKinds,
) -> Result<(Vec<CommandOutcome>, Vec<i64>), StoreError> {
    let mut outcomes = vec![CommandOutcome::Settled; commands.len()];
    // Balances are locked first and always in the same order, so that two gateways cannot
    // deadlock.
    open_accounts(batch, commands, &mut outcomes).await?;
    let mut balances = LockedBalances::lock(batch, commands).await?;
    balances.credit(batch, commands, &mut outcomes).await?;
    Claims::write(batch, commands, &mut outcomes).await?;
    balances.settle(batch, commands, &mut outcomes).await?;
    balances.hold(batch, commands, &mut outcomes).await?;
    balances.close(batch).await?;
    let kinds = request_log::write(batch, commands, &outcomes, known).await?;
    Keys::write(batch, commands, &mut outcomes).await?;
    // Operators' changes come last: the lock that they take excludes other gateways until the
    // end.
    OperatorChanges::write(batch, commands, &mut outcomes).await?;
    batch.0.flush().await?;
    Ok((outcomes, kinds))
}

impl Store {
    /// Checks whether the store can be written. After a failed commit this attempts a write, since
    /// a gateway that is not ready receives no calls that would.
    ///
    /// # Errors
    ///
    /// Fails with the cause if the store cannot be written.
    pub async fn check_writing(&self) -> Result<(), StoreError> {
        let Some((failure, at)) = self.writing.failure() else { return Ok(()) };
        if at.elapsed() < RECENT_TIME {
            return Err(failure);
        }
        let store = self.clone();
        let runtime = Handle::current();
        // SQLite blocks the calling thread while it waits for a lock.
        let tried = tokio::task::spawn_blocking(move || runtime.block_on(store.write_something()));
        match tokio::time::timeout(COMMIT_TIMEOUT / 4, tried).await {
            Ok(Ok(written)) => written,
            Ok(Err(_)) | Err(_) => Err(failure),
        }
    }

    /// Returns in one word why the store cannot be written: `full`, `locked` or `away`.
    pub(crate) fn writing_trouble(&self) -> &'static str {
        self.writing.failure().map_or("away", |(failure, _)| failure.word())
    }

    async fn write_something(&self) -> Result<(), StoreError> {
        let work = async {
            let mut transaction = self.database.begin().await?;
            transaction.run(&WRITE_SOMETHING, "[0]").await?;
            transaction.commit().await
        };
        let written = within_limit(work, StoreError::unavailable).await;
        self.writing.ended(&written);
        written
    }
}
