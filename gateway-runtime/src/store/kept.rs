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

/// One movement of an account's money.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
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
pub struct KeptKey {
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
