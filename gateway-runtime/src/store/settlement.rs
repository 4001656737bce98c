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
    /// The hold of the call.
    pub hold: Option<SettledHold>,
    /// The claim of the call.
    pub claim: Option<SettledClaim>,
}

/// The end of a call's hold.
#[derive(Clone, Debug)]
pub struct SettledHold {
    /// The hold.
    pub hold: Hold,
    /// The amount to capture; `None` keeps the hold, because the outcome is unknown.
    pub charge: Option<Money>,
}

/// The end of a call's claim.
#[derive(Clone, Debug)]
pub struct SettledClaim {
    /// The claimed key.
    pub key: ClaimKey,
    /// The fence of the claim's holder.
    pub fence: Arc<str>,
    /// The end of the claim.
    pub end: ClaimEnd,
}

impl Settlement {
    /// Returns whether the call is charged more than zero.
    pub(crate) fn charges(&self) -> bool {
        let charge = self.hold.as_ref().and_then(|settled| settled.charge);
        charge.is_some_and(|charge| charge.nanos() > 0)
    }
}
