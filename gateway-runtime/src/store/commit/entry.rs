//! New entries of the ledger.

use crate::{base::money::Money, store::Value};

/// A ledger entry to be inserted.
pub(super) struct NewEntry<'c> {
    pub(super) at: i64,
    pub(super) account: &'c str,
    pub(super) kind: &'static str,
    pub(super) amount: Money,
    pub(super) reference: &'c str,
}

impl NewEntry<'_> {
    pub(super) fn values(&self) -> [Value<'_>; 6] {
        let Self { at, account, kind, amount, reference } = self;
        let currency = amount.code();
        let nanos = amount.nanos();
        [
            (*reference).into(),
            (*at).into(),
            (*account).into(),
            currency.into(),
            (*kind).into(),
            nanos.into(),
        ]
    }
}
