//! Idempotency keys: what creates something does so once for each key, and whoever asks again reads the same answer.
//!
//! The key is claimed in the table of all keys. What is done is such that doing it again, after a crash between it and the
//! answer, changes nothing more; so such a claim is free again when its lease is over. Answers can hold what is shown
//! once, so they are kept sealed: with the key, which is not kept, and the operator's token.

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

/// How long a request holds its key, at the most: none takes as long.
const LEASE_TTL: Duration = Duration::from_secs(30);

/// A request with a key.
#[derive(Debug)]
pub(super) struct IdempotentOperation<'r> {
    /// The key.
    pub(super) key: String,
    /// What it is unique for, besides the operator: a call of the API.
    pub(super) operation: [&'static str; 2],
    /// The address that was called.
    pub(super) path: &'r str,
    /// What came with it, written in one way.
    pub(super) input: &'r [u8],
}

impl IdempotentOperation<'_> {
    /// Does it, or tells what was answered before; then the second is true. `work` is given a name for the request that is
    /// the same each time that it is done.
    ///
    /// # Errors
    ///
    /// `idempotency-mismatch` for a key of another request, `idempotency-conflict` for one whose request has not ended,
    /// and what `work` fails with.
    pub(super) async fn run<R>(
        &self,
        desk: &AdminState,
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
        let mut undo = Undo::of(desk, &claim)?;
        let outcome = desk.write(Command::Claim(claim)).await?;
        if !matches!(outcome, CommandOutcome::Claim(ClaimOutcome::Granted)) {
            undo.disarm();
        }
        match outcome {
            CommandOutcome::Claim(ClaimOutcome::Granted) => {}
            CommandOutcome::Claim(ClaimOutcome::Done(answer)) => {
                let answer = sealed_box::open(&proofs, &answer).ok_or_else(|| {
                    conflict("this request was carried out, and its answer is for the token it came with")
                        .with_retryable(false)
                })?;
                return Ok((answer.into(), true));
            }
            CommandOutcome::Claim(ClaimOutcome::Mismatch) => {
                let detail =
                    "this key came with another request before; a new request needs a new key";
                return Err(Error::new(Code::IDEMPOTENCY_MISMATCH, detail));
            }
            CommandOutcome::Claim(
                ClaimOutcome::InProgress(_) | ClaimOutcome::Unknown | ClaimOutcome::NoRoom,
            ) => {
                let error =
                    conflict("a request with this key has not ended yet; ask again for its answer");
                return Err(error.with_retry_after(Duration::from_secs(1)));
            }
            other => return Err(unexpected(&other)),
        }
        let done = work(Arc::clone(&key)).await;
        let closing = match &done {
            Ok(answer) => ClaimEnd::Answer(
                sealed_box::seal(&proofs, answer)?,
                unix_micros(now + desk.keys.retention),
            ),
            Err(_) => ClaimEnd::Release,
        };
        desk.write(Command::Close { key, fence, closing }).await?;
        undo.disarm();
        done.map(|answer| (answer, false))
    }

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

/// Frees the key of a request that is cut off: by its operator who has left, or by a database that does not answer.
struct Undo {
    journal: StoreWriter,
    close: Option<Command>,
}

impl Undo {
    fn of(desk: &AdminState, claim: &Claim) -> Result<Self, Error> {
        let (key, fence) = (Arc::clone(&claim.key), Arc::clone(&claim.fence));
        let close = Some(Command::Close { key, fence, closing: ClaimEnd::Undo });
        Ok(Self { journal: desk.kept()?.journal.clone(), close })
    }

    fn disarm(&mut self) {
        self.close = None;
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        if let Some(close) = self.close.take()
            && let Ok(runtime) = Handle::try_current()
        {
            let journal = self.journal.clone();
            // A claim that stays although this fails is free when its lease is over.
            runtime.spawn(async move { journal.write(close).await });
        }
    }
}

fn conflict(detail: &'static str) -> Error {
    Error::new(Code::IDEMPOTENCY_CONFLICT, detail)
}
