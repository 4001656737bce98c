//! What operators read in the books.

use serde::Deserialize;
use serde_json::json;

use crate::store::{
    Account, Balance, ChangeRecord, Hold, LedgerEntry, StoreError,
    commit::{Store, holds::HoldRow},
    sql::statements::{
        FIND_ACCOUNT, FIND_BALANCES, FIND_CHANGES, FIND_ENTRIES, FIND_HOLD, FIND_HOLDS,
        FIND_PRICES, PING,
    },
};

/// A hold, and whether it stays.
#[derive(Deserialize)]
struct OpenHoldRow {
    #[serde(flatten)]
    held: HoldRow,
    unknown: bool,
}

impl OpenHoldRow {
    fn into_hold(self) -> (Hold, bool) {
        (self.held.into(), self.unknown)
    }
}

impl Store {
    /// Asks whether the database is there.
    ///
    /// # Errors
    ///
    /// When it is away or slow.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read::<u8>(&PING, &[0]).await.map(drop)
    }

    /// An account; none where there is no such.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn account(&self, id: &str) -> Result<Option<Account>, StoreError> {
        Ok(self.read(&FIND_ACCOUNT, &[id]).await?.pop())
    }

    /// What an account has, by currency.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn balances(&self, account: &str) -> Result<Vec<Balance>, StoreError> {
        self.read(&FIND_BALANCES, &[account]).await
    }

    /// Money that is set aside, and whether it stays so because nobody knows how its call ended: the newest first, at most
    /// `count`, of calls before that of this name.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
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

    /// The money that is set aside for a call, and whether nobody knows how the call ended.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn open_hold(&self, call: &str) -> Result<Option<(Hold, bool)>, StoreError> {
        Ok(self.read(&FIND_HOLD, &[call]).await?.pop().map(OpenHoldRow::into_hold))
    }

    /// An account's newest entries, newest first: at most `count`, and only those with smaller numbers than `before`.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn entries(
        &self,
        account: &str,
        before: Option<i64>,
        count: u32,
    ) -> Result<Vec<LedgerEntry>, StoreError> {
        self.read(&FIND_ENTRIES, &json!([account, before.unwrap_or(i64::MAX), count])).await
    }

    /// The newest changes by operators, newest first: at most `count`, and only those with smaller numbers than `before`.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn changes(
        &self,
        before: Option<i64>,
        count: u32,
    ) -> Result<Vec<ChangeRecord>, StoreError> {
        self.read(&FIND_CHANGES, &json!([before.unwrap_or(i64::MAX), count])).await
    }

    /// The newest price lists, newest first, as the changes that set them: at most `count`, and only those with smaller
    /// numbers than `before`.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn price_lists(
        &self,
        before: Option<i64>,
        count: u32,
    ) -> Result<Vec<ChangeRecord>, StoreError> {
        self.read(&FIND_PRICES, &json!([before.unwrap_or(i64::MAX), count])).await
    }
}
