//! The replay guard of webhooks: each signature is valid for one call that was executed.
//!
//! A signature is taken before its call begins, so that of two concurrent deliveries one is
//! executed. It is released if the call was not executed: a delivery that was refused, or failed
//! definitely, may be sent again unchanged.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    base::error::{Code, Error},
    edge::http::webhook::{TOLERANCE_SECONDS, refused},
};

/// The HMAC-SHA256 of a webhook.
type Signature = [u8; 32];

/// The signatures that were taken and have not expired, by their timestamps.
///
/// Only signatures of our own keys are stored, so unknown clients cannot fill the guard.
#[derive(Debug, Default)]
pub(super) struct ReplayGuard(
    Mutex<BTreeMap<u64, HashMap<Signature, State, foldhash::fast::RandomState>>>,
);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The call of the signature runs.
    Taken,
    /// The call of the signature was executed, or its outcome is unknown.
    Used,
}

impl ReplayGuard {
    /// The maximum number of signatures, about 36 MiB: ten minutes at 870 webhooks a second.
    const MAX_SIGNATURES: usize = 1 << 19;

    /// Takes a signature that has been verified.
    ///
    /// # Errors
    ///
    /// `unauthenticated` if the signature was used, `idempotency-conflict` while its call runs,
    /// `overloaded` if no more signatures can be stored.
    pub(super) fn take(&self, time: u64, signature: Signature, now: u64) -> Result<Use<'_>, Error> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = seen.split_off(&now.saturating_sub(TOLERANCE_SECONDS));
        match seen.get(&time).and_then(|signatures| signatures.get(&signature)) {
            Some(State::Used) => return Err(refused("the signature was used before")),
            Some(State::Taken) => {
                let detail = "a webhook with this signature is in progress; retry later";
                return Err(Error::new(Code::IDEMPOTENCY_CONFLICT, detail)
                    .with_retry_after(Duration::from_secs(1)));
            }
            None => {}
        }
        if seen.values().map(HashMap::len).sum::<usize>() >= Self::MAX_SIGNATURES {
            let error = Error::new(
                Code::OVERLOADED,
                "too many signatures of webhooks are stored; retry later",
            );
            return Err(error.with_retry_after(Duration::from_secs(TOLERANCE_SECONDS)));
        }
        seen.entry(time).or_default().insert(signature, State::Taken);
        Ok(Use { seen: self, time, signature, is_used: false })
    }

    fn end(&self, time: u64, signature: &Signature, is_used: bool) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // None after its window has ended: the signature is not valid any more in any case.
        let Some(signatures) = seen.get_mut(&time) else { return };
        if is_used {
            signatures.insert(*signature, State::Used);
        } else {
            signatures.remove(signature);
        }
    }
}

/// A signature that was taken for one call; released when dropped unless the call has used it up.
#[derive(Debug)]
pub(super) struct Use<'s> {
    seen: &'s ReplayGuard,
    time: u64,
    signature: Signature,
    is_used: bool,
}

impl Use<'_> {
    /// Sets whether the signature is used up when dropped: whether the call was executed, or its
    /// outcome is unknown.
    pub(super) fn set_used(&mut self, is_used: bool) {
        self.is_used = is_used;
    }
}

impl Drop for Use<'_> {
    fn drop(&mut self) {
        self.seen.end(self.time, &self.signature, self.is_used);
    }
}
