//! Settlements: the end of a call's row, hold and claim.

use std::sync::Arc;

use crate::{
    base::money::Money,
    store::{ClaimEnd, ClaimKey, Hold, RequestRecord},
};

/// The settlement of a call that has ended: its row, money and idempotency key, in one transaction
/// (SEMANTICS §8).
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The row of the request log.
    pub request: RequestRecord,
    /// The hold and the amount to capture; `None` as the amount keeps the hold, because the outcome
    /// is unknown.
    pub hold: Option<(Hold, Option<Money>)>,
    /// The claimed key, the fence of its holder and the end of the claim.
    pub claim: Option<(ClaimKey, Arc<str>, ClaimEnd)>,
}

impl Settlement {
    /// Returns whether the call is charged more than zero.
    pub(crate) fn charges(&self) -> bool {
        self.hold
            .as_ref()
            .is_some_and(|(_, charge)| charge.is_some_and(|charge| charge.nanos() > 0))
    }
}
