//! Queries of the store for the operator's API.

use serde::Deserialize;
use serde_json::json;

use crate::store::{
    Account, Balance, ChangeRecord, Hold, LedgerEntry, Store, StoreError,
    commit::holds::HoldRow,
    sql::statements::{
        FIND_ACCOUNT, FIND_BALANCES, FIND_CHANGES, FIND_ENTRIES, FIND_HOLD, FIND_HOLDS,
        FIND_PRICES, PING,
    },
};

/// An open hold, and whether the outcome of its call is unknown.
#[derive(Deserialize)]
struct OpenHoldRow {
    #[serde(flatten)]
    hold: HoldRow,
    unknown: bool,
}

impl OpenHoldRow {
    fn into_hold(self) -> (Hold, bool) {
        (self.hold.into(), self.unknown)
    }
}

impl Store {
    /// Checks that the database answers.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read::<u8>(&PING, &[0]).await.map(drop)
    }

    /// Returns an account; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn account(&self, id: &str) -> Result<Option<Account>, StoreError> {
        Ok(self.read(&FIND_ACCOUNT, &[id]).await?.pop())
    }

    /// Returns the balances of an account, by currency.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn balances(&self, account: &str) -> Result<Vec<Balance>, StoreError> {
        self.read(&FIND_BALANCES, &[account]).await
    }

    /// Returns open holds, newest first, each with whether the outcome of its call is unknown: at
    /// most `count`, of calls before the one with the id `before`.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn holds(
        &self,
        only_unknown: bool,
        before: Option<&str>,
        count: u32,
    ) -> Result<Vec<(Hold, bool)>, StoreError> {
        let rows: Vec<OpenHoldRow> =
            self.read(&FIND_HOLDS, &json!([only_unknown, before.unwrap_or("g"), count])).await?;
        Ok(rows.into_iter().map(OpenHoldRow::into_hold).collect())
    }

    /// Returns the open hold of a call, and whether the outcome of the call is unknown.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn open_hold(&self, call: &str) -> Result<Option<(Hold, bool)>, StoreError> {
        Ok(self.read(&FIND_HOLD, &[call]).await?.pop().map(OpenHoldRow::into_hold))
    }

    /// Returns an account's entries, newest first: at most `count`, with smaller numbers than
    /// `before`.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn entries(
        &self,
        account: &str,
        before: Option<i64>,
        count: u32,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.read(&FIND_ENTRIES, &json!([account, before.unwrap_or(i64::MAX), count])).await
    }

    /// Returns the operators' changes, newest first: at most `count`, with smaller numbers than
    /// `before`.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn changes(
        &self,
        before: Option<i64>,
        count: u32,
    ) -> Result<Vec<ChangeRecord>, StoreError> {
        self.read(&FIND_CHANGES, &json!([before.unwrap_or(i64::MAX), count])).await
    }

    /// Returns the price lists, newest first, as the changes that set them: at most `count`, with
    /// smaller numbers than `before`.
    ///
    /// # Errors
    ///
    /// Fails if the database is unavailable or slow.
    pub async fn price_lists(
        &self,
        before: Option<i64>,
        count: u32,
    ) -> Result<Vec<ChangeRecord>, StoreError> {
        self.read(&FIND_PRICES, &json!([before.unwrap_or(i64::MAX), count])).await
    }
}
