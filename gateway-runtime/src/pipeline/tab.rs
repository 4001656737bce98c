//! What stages note of a call for its record: who claims a key or sets money aside does not end it, the record does when
//! the call has ended, together with everything else.

use std::sync::{Arc, OnceLock};

use super::billing::Bill;
use crate::store::{CallKey, ClaimKey};

/// The idempotency key that a call claimed, and the fence by which it holds it.
pub(super) type Held = (ClaimKey, Arc<str>);

/// Where they are noted; nowhere when calls are not recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct Tab(Option<Arc<Notes>>);

#[derive(Debug)]
struct Notes {
    name: CallKey,
    claim: OnceLock<Held>,
    bill: OnceLock<Bill>,
}

impl Tab {
    /// One that keeps what is noted of the call that has this name in the books.
    pub(super) fn of(name: CallKey) -> Self {
        Self(Some(Arc::new(Notes { name, claim: OnceLock::new(), bill: OnceLock::new() })))
    }

    /// The call's name in the books; none when it is not recorded.
    pub(super) fn name(&self) -> Option<CallKey> {
        self.0.as_ref().map(|notes| Arc::clone(&notes.name))
    }

    /// Notes the key that the call has claimed.
    pub(super) fn claimed(&self, held: Held) {
        if let Some(notes) = &self.0 {
            // A call has one key.
            let _ = notes.claim.set(held);
        }
    }

    /// The key that the call has claimed.
    pub(super) fn claim(&self) -> Option<Held> {
        self.0.as_ref()?.claim.get().cloned()
    }

    /// Notes the money that was set aside for the call.
    pub(super) fn owes(&self, bill: Bill) {
        if let Some(notes) = &self.0 {
            // A call sets money aside once.
            let _ = notes.bill.set(bill);
        }
    }

    /// The money that was set aside for the call.
    pub(super) fn bill(&self) -> Option<Bill> {
        self.0.as_ref()?.bill.get().cloned()
    }
}
