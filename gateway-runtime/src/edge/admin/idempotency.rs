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
        call::sortable_name,
        digest::digest_name,
        duration::unix_micros,
        error::{Code, Error},
    },
    edge::admin::{
        auth::Operator,
        state::{Desk, unexpected},
    },
    store::{Change, Claim, Claimed, Closing, Journal, Outcome},
};

/// How long a request holds its key, at the most: none takes as long.
const LEASE: Duration = Duration::from_secs(30);

/// A request with a key.
#[derive(Debug)]
pub(super) struct Keyed<'r> {
    /// The key.
    pub(super) key: String,
    /// What it is unique for, besides the operator: a call of the API.
    pub(super) operation: [&'static str; 2],
    /// The address that was called.
    pub(super) path: &'r str,
    /// What came with it, written in one way.
    pub(super) input: &'r [u8],
}

impl Keyed<'_> {
    /// Does it, or tells what was answered before; then the second is true. `work` is given a name for the request that is
    /// the same each time that it is done.
    ///
    /// # Errors
    ///
    /// `idempotency-mismatch` for a key of another request, `idempotency-conflict` for one whose request has not ended,
    /// and what `work` fails with.
    pub(super) async fn once<R>(
        &self,
        desk: &Desk,
        operator: &Operator,
        work: impl FnOnce(Arc<str>) -> R,
    ) -> Result<(Bytes, bool), Error>
    where
        R: Future<Output = Result<Bytes, Error>>,
    {
        let proofs = [self.key.as_bytes(), &operator.proof];
        let now = SystemTime::now();
        let claim = self.claim(operator, now);
        let (key, fence) = (Arc::clone(&claim.key), Arc::clone(&claim.fence));
        let mut undo = Undo::of(desk, &claim)?;
        let outcome = desk.write(Change::Claim(claim)).await?;
        if !matches!(outcome, Outcome::Claim(Claimed::Granted)) {
            undo.disarm();
        }
        match outcome {
            Outcome::Claim(Claimed::Granted) => {}
            Outcome::Claim(Claimed::Done(answer)) => {
                let answer = sealed_box::open(&proofs, &answer).ok_or_else(|| {
                    conflict("this request was carried out, and its answer is for the token it came with")
                        .with_retryable(false)
                })?;
                return Ok((answer.into(), true));
            }
            Outcome::Claim(Claimed::Mismatch) => {
                let detail = "this key came with another request before; a new request needs a new key";
                return Err(Error::new(Code::IDEMPOTENCY_MISMATCH, detail));
            }
            Outcome::Claim(Claimed::InProgress(_) | Claimed::Unknown | Claimed::NoRoom) => {
                let error = conflict("a request with this key has not ended yet; ask again for its answer");
                return Err(error.retry_after(Duration::from_secs(1)));
            }
            other => return Err(unexpected(&other)),
        }
        let done = work(Arc::clone(&key)).await;
        let closing = match &done {
            Ok(answer) => Closing::Answer(sealed_box::seal(&proofs, answer)?, unix_micros(now + desk.keys.kept)),
            Err(_) => Closing::Release,
        };
        desk.write(Change::Close { key, fence, closing }).await?;
        undo.disarm();
        done.map(|answer| (answer, false))
    }

    fn claim(&self, operator: &Operator, now: SystemTime) -> Claim {
        let [verb, template] = self.operation;
        Claim {
            key: digest_name(["admin", &operator.name, verb, template, &self.key]),
            fingerprint: digest_name([self.path.as_bytes(), self.input]),
            fence: String::from_utf8_lossy(&sortable_name()).into(),
            at: unix_micros(now),
            until: unix_micros(now + LEASE),
            once: false,
            bytes: None,
            has_room: true,
        }
    }
}

/// Frees the key of a request that is cut off: by its operator who has left, or by a database that does not answer.
struct Undo {
    journal: Journal,
    close: Option<Change>,
}

impl Undo {
    fn of(desk: &Desk, claim: &Claim) -> Result<Self, Error> {
        let (key, fence) = (Arc::clone(&claim.key), Arc::clone(&claim.fence));
        let close = Some(Change::Close { key, fence, closing: Closing::Undo });
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
