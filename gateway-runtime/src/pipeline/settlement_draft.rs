//! The settlement draft of a call: the claimed idempotency key and the hold. Layers add to it; the
//! request log settles it in one transaction when the call has ended.
//!
//! A layer notes a command here *before* it sends it to the store. So whatever cuts the wait for
//! the outcome (the deadline, a caller who disconnects, a panic), the request log knows which
//! commands may have been written, and undoes them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;

use crate::{
    base::{call::Witness, error::Error},
    pipeline::{billing::placed_hold::PlacedHold, persistence::Persistence},
    store::{CallId, ClaimKey, Command},
};

/// The idempotency key that a call claimed, and the fence of its claim.
pub(super) type HeldClaim = (ClaimKey, Arc<str>);

/// The settlement draft of a call; empty if calls are not recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct SettlementDraft(Option<Arc<Notes>>);

#[derive(Debug)]
struct Notes {
    name: CallId,
    persistence: Arc<Persistence>,
    draft: Mutex<Draft>,
}

/// The commands of a call that are written, or may be.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) take_claim: Option<Noted<HeldClaim>>,
    pub(super) take_hold: Option<Noted<PlacedHold>>,
    /// The provider that the store has as the one of the next attempt.
    asked: Option<&'static str>,
}

/// A command that was sent to the store.
#[derive(Clone, Debug)]
pub(super) struct Noted<T> {
    pub(super) what: T,
    /// Whether the store has confirmed the command. Until then it may be written or not.
    pub(super) is_written: bool,
}

impl<T> Noted<T> {
    /// Applies the store's reply: the command is written, or is not.
    fn answered(noted: &mut Option<Self>, is_written: bool) {
        match noted {
            Some(noted) if is_written => noted.is_written = true,
            _ => *noted = None,
        }
    }

    fn sent(what: T) -> Option<Self> {
        Some(Self { what, is_written: false })
    }
}

impl Draft {
    /// Returns whether the store has not replied to a command yet.
    pub(super) fn is_open(&self) -> bool {
        let claim = self.take_claim.as_ref().is_some_and(|claim| !claim.is_written);
        claim || self.take_hold.as_ref().is_some_and(|bill| !bill.is_written)
    }
}

impl SettlementDraft {
    /// Creates the draft of the call with this id in the store.
    pub(super) fn of(name: CallId, persistence: Arc<Persistence>) -> Self {
        Self(Some(Arc::new(Notes { name, persistence, draft: Mutex::default() })))
    }

    /// Returns the witness that stores, beside the call's hold, the provider of the next attempt.
    pub(super) fn witness(&self) -> Option<Arc<dyn Witness>> {
        Some(Arc::clone(self.0.as_ref()?) as _)
    }

    /// Returns the id of the call in the store; `None` if the call is not recorded.
    pub(super) fn name(&self) -> Option<CallId> {
        self.0.as_ref().map(|notes| Arc::clone(&notes.name))
    }

    /// Notes the key that the call is about to claim. A call has one key.
    pub(super) fn claims(&self, held: HeldClaim) {
        self.with(|draft| draft.take_claim = Noted::sent(held));
    }

    /// Applies the store's reply to the claim: the key is the call's, or is not.
    pub(super) fn has_claimed(&self, is_granted: bool) {
        self.with(|draft| Noted::answered(&mut draft.take_claim, is_granted));
    }

    /// Notes the hold that is about to be placed for the call. A call has one hold.
    pub(super) fn holds(&self, bill: PlacedHold) {
        self.with(|draft| draft.take_hold = Noted::sent(bill));
    }

    /// Applies the store's reply to the hold: the hold is placed, or is not.
    pub(super) fn has_held(&self, is_held: bool) {
        self.with(|draft| Noted::answered(&mut draft.take_hold, is_held));
    }

    /// Returns whether the hold of the call is placed; `None` if the call has no hold.
    pub(super) fn is_held(&self) -> Option<bool> {
        let notes = self.0.as_ref()?;
        notes.lock().take_hold.as_ref().map(|bill| bill.is_written)
    }

    /// Takes the draft out, to settle it.
    pub(super) fn take(&self) -> Draft {
        self.0.as_ref().map_or_else(Draft::default, |notes| std::mem::take(&mut *notes.lock()))
    }

    fn with(&self, note: impl FnOnce(&mut Draft)) {
        if let Some(notes) = &self.0 {
            note(&mut notes.lock());
        }
    }
}

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Draft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Notes {
    fn about_to_ask(&self, provider: &'static str) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            if self.lock().asked == Some(provider) {
                return Ok(());
            }
            let ask = Command::Ask { call: Arc::clone(&self.name), provider: provider.into() };
            self.persistence.writer.write(ask).await.map_err(Error::internal)?;
            self.lock().asked = Some(provider);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claim_is_open_until_the_store_replies() {
        let held = || ("key".into(), "fence".into());
        let mut draft = Draft { take_claim: Noted::sent(held()), ..Draft::default() };
        assert!(draft.is_open(), "it may have been written");
        Noted::answered(&mut draft.take_claim, true);
        assert!(
            !draft.is_open() && draft.take_claim.as_ref().is_some_and(|claim| claim.is_written)
        );
        Noted::answered(&mut draft.take_claim, false);
        assert!(!draft.is_open() && draft.take_claim.is_none(), "it is another call's");
    }
}
