//! Queries of the store for the gateway itself: settings, plans, holds to resolve, audits.

use crate::store::{
    Audit, ChangeRecord, Hold, Store, StoreError,
    commit::holds::HoldRow,
    sql::statements::{AUDIT, COUNTED_BYTES, LAST_CHANGE, OVERDUE_HOLDS, PLAN_OF, SETTINGS},
};

impl Store {
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
        let rows: Vec<HoldRow> = self.read(&OVERDUE_HOLDS, &[time]).await?;
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
}
