//! What operators read in the books.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Its name.
    pub id: String,
    /// Its plan.
    pub plan: String,
    /// Microseconds since 1970.
    pub created: i64,
}

/// What an account has in one currency, in 10⁻⁹ of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Balance {
    /// The currency.
    pub currency: String,
    /// What can be spent.
    pub available: i64,
    /// What is set aside.
    pub held: i64,
}

/// One movement of an account's money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LedgerEntry {
    /// Its number; later entries have greater ones.
    pub id: i64,
    /// Microseconds since 1970.
    pub at: i64,
    /// In which currency.
    pub currency: String,
    /// `credit` or `charge`.
    pub kind: String,
    /// How much, in 10⁻⁹ of a unit; never negative.
    pub amount: i64,
    /// The credit's reference, or the call that was charged.
    pub reference: String,
}

/// A client's key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRecord {
    /// What finds it.
    pub id: Arc<str>,
    /// Who calls with it.
    pub account: Arc<str>,
    /// What those calls may do.
    pub scopes: Vec<String>,
    /// From when on it is no good; microseconds since 1970.
    pub expires: Option<i64>,
    /// Whether it was taken back.
    pub revoked: bool,
    /// The SHA-256 of its secret, in hexadecimal digits.
    pub hash: String,
    /// Microseconds since 1970.
    pub created: i64,
}

/// Which requests are summed up, and how.
#[derive(Clone, Debug, Default, Serialize)]
pub struct MarginQuery {
    /// From then on; microseconds since 1970 …
    pub since: Option<i64>,
    /// … and before then.
    pub until: Option<i64>,
    /// Of one account only.
    pub account: Option<String>,
    /// Whether days are told apart.
    pub group_by_day: bool,
}

/// What accounts paid and what it cost us, of one method with one provider in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarginRow {
    /// The service …
    pub service: String,
    /// … its version …
    pub version: u32,
    /// … and the method.
    pub method: String,
    /// The provider that answered; none when none has.
    pub provider: Option<String>,
    /// The day (UTC), such as `2026-01-31`, if days are told apart.
    pub day: Option<String>,
    /// The currency; none of calls that were not paid, and whose cost is not known.
    pub currency: Option<String>,
    /// What accounts paid, in 10⁻⁹ of a unit.
    pub price: i128,
    /// What it cost us as far as that is known, in 10⁻⁹ of a unit.
    pub cost: i128,
    /// How many calls were paid for.
    pub paid: u64,
    /// How many calls that a provider answered have a cost that is not known.
    pub cost_unknown: u64,
}
