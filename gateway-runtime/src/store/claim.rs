//! Claims of idempotency keys, and their ends (SEMANTICS §5).

use std::sync::Arc;

use serde::Serialize;

/// The digest of account, service, version, method and idempotency key, in hexadecimal digits.
pub type ClaimKey = Arc<str>;

/// A claim of an idempotency key: a lease with a fence (SEMANTICS §5).
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// The key that is claimed.
    pub key: ClaimKey,
    /// The fingerprint of the request, in hexadecimal digits.
    pub fingerprint: Arc<str>,
    /// The fence: a value that differs between this holder and those before and after it.
    pub fence: Arc<str>,
    /// The current time, in microseconds since 1970.
    pub at: i64,
    /// The end of the lease, in microseconds since 1970; no other call can take the key before.
    pub until: i64,
    /// Whether the call must not be executed a second time, whatever the outcome of the first.
    pub once: bool,
    /// The bytes that the key takes in the database before its answer is stored. Present for
    /// anonymous callers only, whose bytes are counted.
    pub bytes: Option<i64>,
    /// Whether a new key may be claimed. A key that exists is answered in any case.
    #[serde(skip)]
    pub has_room: bool,
}

/// The outcome of a [`Claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The call holds the claim and may be executed.
    Granted,
    /// Another call holds the claim, at most until this time in microseconds since 1970.
    InProgress(i64),
    /// The key belongs to a request with another fingerprint.
    Mismatch,
    /// The call was executed; this is the stored answer.
    Done(String),
    /// The outcome is unknown: an earlier call under `once` began and did not end.
    Unknown,
    /// The key is new, and there is no room for it.
    NoRoom,
}

/// The end of a claim.
#[derive(Clone, Debug)]
pub enum ClaimEnd {
    /// Frees the key: the call was not executed.
    Release,
    /// Frees a key of which it is not known whether it was claimed, because the wait for the claim
    /// was cut off. Undoes a claim that was committed, or will be by a commit that is still under
    /// way.
    Undo,
    /// Stores the answer for replays.
    Complete {
        /// The stored answer.
        reply: String,
        /// The time until which the answer is stored, in microseconds since 1970.
        until: i64,
    },
}
