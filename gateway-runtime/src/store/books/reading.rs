//! What operators read in the books.

use serde_json::json;

use super::Books;
use crate::store::{
    Account, Edited, Entry, StoreError,
    statements::{FIND_ACCOUNT, FIND_CHANGES, FIND_ENTRIES, PING},
};

impl Books {
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

    /// An account's newest entries, newest first: at most `count`, and only those with smaller numbers than `before`.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn entries(&self, account: &str, before: Option<i64>, count: u32) -> Result<Vec<Entry>, StoreError> {
        self.read(&FIND_ENTRIES, &json!([account, before.unwrap_or(i64::MAX), count])).await
    }

    /// The newest changes by operators, newest first: at most `count`, and only those with smaller numbers than `before`.
    ///
    /// # Errors
    ///
    /// When the database is away or slow.
    pub async fn changes(&self, before: Option<i64>, count: u32) -> Result<Vec<Edited>, StoreError> {
        self.read(&FIND_CHANGES, &json!([before.unwrap_or(i64::MAX), count])).await
    }
}
