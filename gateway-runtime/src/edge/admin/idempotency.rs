//! Idempotency keys of the admin API: an operation that creates something runs once for each key,
//! and a retry gets the same response (SEMANTICS §13).
//!
//! The key is claimed in the same table as the keys of calls. Operations are idempotent: after a
//! crash between an operation and its reply, running it again changes nothing more. So such a claim
//! is free again when its lease expires. A reply can hold a secret that is shown once, so it is
//! stored sealed, with the idempotency key, which is not stored, and the operator's token.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::{
    auth::sealed_box,
    base::{
        call::sortable_id,
        digest::digest_hex,
        duration::unix_micros,
        error::{Code, Error},
    },
    edge::admin::{
        auth::Operator,
        state::{AdminState, unexpected},
    },
    store::{Claim, ClaimEnd, ClaimOutcome, Command, CommandOutcome, StoreWriter},
};

/// The lease of a claim. No request takes as long.
const LEASE_TTL: Duration = Duration::from_secs(30);

/// An operation with an idempotency key.
#[derive(Debug)]
pub(super) struct IdempotentOperation<'r> {
    /// The idempotency key.
    pub(super) key: String,
    /// The HTTP method and the path template, which with the operator make up the scope of the key.
    pub(super) operation: [&'static str; 2],
    /// The path of the request.
    pub(super) path: &'r str,
    /// The input in canonical form.
    pub(super) input: &'r [u8],
}

impl IdempotentOperation<'_> {
    /// Runs `work`, or returns the stored reply; the flag is true for a stored reply. `work`
    /// receives a name of the request that is the same each time it runs for this key.
    ///
    /// # Errors
    ///
    /// `idempotency-mismatch` for a key that came with another request, `idempotency-conflict`
    /// while the request with this key has not ended or if its reply is sealed for another token,
    /// and the error of `work`.
    pub(super) async fn run<R>(
        &self,
        state: &AdminState,
        operator: &Operator,
        work: impl FnOnce(Arc<str>) -> R,
    ) -> Result<(Bytes, bool), Error>
    where
        R: Future<Output = Result<Bytes, Error>>,
    {
        let proofs = [self.key.as_bytes(), &operator.token_hash];
        let now = SystemTime::now();
        let claim = self.claim(operator, now);
        let (key, fence) = (Arc::clone(&claim.key), Arc::clone(&claim.fence));
        let mut undo = Undo::of(state, &claim)?;
        let outcome = state.write(Command::Claim(claim)).await?;
        if !matches!(outcome, CommandOutcome::Claim(ClaimOutcome::Granted)) {
            undo.disarm();
        }
        match outcome {
            CommandOutcome::Claim(ClaimOutcome::Granted) => {}
            CommandOutcome::Claim(ClaimOutcome::Done(answer)) => {
                let answer = sealed_box::open(&proofs, &answer).ok_or_else(|| {
                    conflict(
                        "the request was executed with another token; repeat it with that token \
                         for its reply",
                    )
                    .with_retryable(false)
                })?;
                return Ok((answer.into(), true));
            }
            CommandOutcome::Claim(ClaimOutcome::Mismatch) => {
                let detail = "the idempotency key was used with another request; use a new key";
                return Err(Error::new(Code::IDEMPOTENCY_MISMATCH, detail));
            }
            CommandOutcome::Claim(
                ClaimOutcome::InProgress(_) | ClaimOutcome::Unknown | ClaimOutcome::NoRoom,
            ) => {
                let error =
                    conflict("a request with this idempotency key is in progress; retry later");
                return Err(error.with_retry_after(Duration::from_secs(1)));
            }
            other => return Err(unexpected(&other)),
        }
        let done = work(Arc::clone(&key)).await;
        let end = match &done {
            Ok(answer) => ClaimEnd::Complete {
                reply: sealed_box::seal(&proofs, answer)?,
                until: unix_micros(now + state.keys.retention),
            },
            Err(_) => ClaimEnd::Release,
        };
        state.write(Command::Close { key, fence, end }).await?;
        undo.disarm();
        done.map(|answer| (answer, false))
    }

    /// Creates the claim of the key, with the fingerprint of path and input.
    fn claim(&self, operator: &Operator, now: SystemTime) -> Claim {
        let [verb, template] = self.operation;
        Claim {
            key: digest_hex(["admin", &operator.name, verb, template, &self.key]),
            fingerprint: digest_hex([self.path.as_bytes(), self.input]),
            fence: String::from_utf8_lossy(&sortable_id()).into(),
            at: unix_micros(now),
            until: unix_micros(now + LEASE_TTL),
            once: false,
            bytes: None,
            has_room: true,
        }
    }
}

/// A guard that releases the key of a request that is dropped: when its operator disconnects, or
/// the database fails.
struct Undo {
    writer: StoreWriter,
    close: Option<Command>,
}

impl Undo {
    /// Creates a guard of a claim.
    fn of(state: &AdminState, claim: &Claim) -> Result<Self, Error> {
        let (key, fence) = (Arc::clone(&claim.key), Arc::clone(&claim.fence));
        let close = Some(Command::Close { key, fence, end: ClaimEnd::Undo });
        Ok(Self { writer: state.kept()?.writer.clone(), close })
    }

    /// Leaves the claim as it is when the guard is dropped.
    fn disarm(&mut self) {
        self.close = None;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(close) = self.close.take()
            && let Ok(runtime) = Handle::try_current()
        {
            let writer = self.writer.clone();
            // If this write fails, the claim is free when its lease expires.
            runtime.spawn(async move { writer.write(close).await });
        }
    }
}

/// Returns `idempotency-conflict`.
fn conflict(detail: &'static str) -> Error {
    Error::new(Code::IDEMPOTENCY_CONFLICT, detail)
}
