//! Credits to accounts.

use std::sync::Arc;

use crate::base::money::Money;

/// A credit to an account.
#[derive(Clone, Debug)]
pub struct Credit {
    /// The id of the account.
    pub account: Arc<str>,
    /// The amount, above zero.
    pub amount: Money,
    /// The reference of the payment; each reference is credited once.
    pub reference: Arc<str>,
    /// The time, in microseconds since 1970.
    pub at: i64,
    /// The name of the operator.
    pub who: Arc<str>,
}

/// The outcome of a [`Credit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditOutcome {
    /// The amount was credited.
    Credited,
    /// The same amount was credited before for this reference.
    Duplicate,
    /// Another amount or currency was credited before for this reference.
    Mismatch,
    /// The account does not exist.
    NoAccount,
    /// The balance would exceed the largest value that can be stored.
    Overflow,
}
