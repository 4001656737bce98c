//! Views of the store for operators.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// The id.
    pub id: String,
    /// The plan.
    pub plan: String,
    /// The time of creation, in microseconds since 1970.
    pub created: i64,
}

/// The balance of an account in one currency, in 10⁻⁹ of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Balance {
    /// The currency.
    pub currency: String,
    /// The available amount.
    pub available: i64,
    /// The held amount.
    pub held: i64,
}

/// An entry of an account's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LedgerEntry {
    /// The number; later entries have greater ones.
    pub id: i64,
    /// The time, in microseconds since 1970.
    pub at: i64,
    /// The currency.
    pub currency: String,
    /// The kind: `credit` or `charge`.
    pub kind: String,
    /// The amount, in 10⁻⁹ of a unit; never negative.
    pub amount: i64,
    /// The reference of a credit, or the id of the charged call.
    pub reference: String,
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRecord {
    /// The id, by which the key is found.
    pub id: Arc<str>,
    /// The account of calls with this key.
    pub account: Arc<str>,
    /// The scopes of calls with this key.
    pub scopes: Vec<String>,
    /// The time of expiry, in microseconds since 1970; `None` if the key does not expire.
    pub expires: Option<i64>,
    /// Whether the key is revoked.
    pub revoked: bool,
    /// The SHA-256 of the secret, in hexadecimal digits.
    pub hash: String,
    /// The time of creation, in microseconds since 1970.
    pub created: i64,
}

/// The requests that a margin report sums up, and how it groups them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MarginQuery {
    /// The start of the period, inclusive, in microseconds since 1970.
    pub since: Option<i64>,
    /// The end of the period, exclusive, in microseconds since 1970.
    pub until: Option<i64>,
    /// The only account to sum up; `None` for all accounts.
    pub account: Option<String>,
    /// Whether each day has rows of its own.
    pub group_by_day: bool,
}

/// The price, cost and number of calls of one method with one provider in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarginRow {
    /// The name of the service.
    pub service: String,
    /// The version of the service.
    pub version: u32,
    /// The name of the method.
    pub method: String,
    /// The provider that answered; `None` if none did.
    pub provider: Option<String>,
    /// The day (UTC), such as `2026-01-31`, if rows are grouped by day.
    pub day: Option<String>,
    /// The currency; `None` for calls that were not charged and whose cost is unknown.
    pub currency: Option<String>,
    /// The sum of the prices that accounts paid, in 10⁻⁹ of a unit.
    pub price: i128,
    /// The sum of the known costs to the operator, in 10⁻⁹ of a unit.
    pub cost: i128,
    /// The number of calls that were charged.
    pub paid: u64,
    /// The number of calls that a provider answered at unknown cost.
    pub cost_unknown: u64,
}

/// The balance of an account in one currency beside the sums of its ledger and holds, in 10⁻⁹ of a
/// unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Audit {
    /// The id of the account.
    pub account: String,
    /// The currency.
    pub currency: String,
    /// The available amount.
    pub available: i64,
    /// The held amount.
    pub held: i64,
    /// The sum of the ledger's entries.
    pub entries: i64,
    /// The sum of the open holds.
    pub holds: i64,
}

impl Audit {
    /// Returns whether the balance equals the sums of the ledger and of the holds.
    #[must_use]
    pub fn balances(&self) -> bool {
        self.available + self.held == self.entries && self.held == self.holds
    }
}
