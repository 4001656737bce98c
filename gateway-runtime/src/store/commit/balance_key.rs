//! The key of a balance: account and currency.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::money::{Currency, Money};

/// The key of a balance: account and currency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct BalanceKey {
    pub(super) account: Arc<str>,
    pub(super) currency: Currency,
}

impl BalanceKey {
    pub(super) fn new(account: &Arc<str>, amount: Money) -> Self {
        Self { account: Arc::clone(account), currency: amount.currency() }
    }
}
