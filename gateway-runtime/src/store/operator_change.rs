//! Changes by operators to prices, limits, providers, accounts, keys and holds.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A change by an operator, before it has a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OperatorChange {
    /// The time, in microseconds since 1970.
    pub at: i64,
    /// The name of the operator.
    pub who: Arc<str>,
    /// The kind of the subject.
    pub kind: ChangeKind,
    /// The name of the subject; empty for a kind with one subject only.
    pub subject: Arc<str>,
    /// The value after the change, as JSON; of a provider, the changed members only.
    pub document: String,
}

/// The kind of a change by an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// A new price list.
    Prices,
    /// New limits.
    Limits,
    /// New overrides of a provider.
    Provider,
    /// A new account.
    Account,
    /// A credit to an account.
    Credit,
    /// A new or revoked API key.
    Key,
    /// The settlement of a hold of unknown outcome.
    Hold,
}

/// A change by an operator, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChangeRecord {
    /// The number of the change, which is the version of all settings after it.
    pub id: i64,
    /// The time, in microseconds since 1970.
    pub at: i64,
    /// The name of the operator.
    pub who: String,
    /// The kind of the subject.
    pub kind: ChangeKind,
    /// The name of the subject.
    pub subject: String,
    /// The value after the change, as JSON.
    pub document: String,
}
