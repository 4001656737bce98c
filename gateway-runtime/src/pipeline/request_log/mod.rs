//! The request log: when a call has ended, its row, its charge and the end of its idempotency key
//! are written in one transaction, before its caller reads the reply (SEMANTICS §8).
//!
//! A call that may claim a key or cost something is completed by a task of its own when its caller
//! disconnects, since its outcome must be known. The rows of other calls are queued, and no caller
//! waits for them.
//!
//! A stream is charged when it begins. Its row is marked `streaming` then, and is completed when
//! the stream has ended.

pub(super) mod execution;
pub(super) mod record;
pub(super) mod run_to_completion;
pub(super) mod streamed;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::{Instant, SystemTime},
};

use futures_util::{future::Either, stream};
use tower::{Layer, Service};

use crate::{
    base::{
        call::{Call, sortable_id},
        duration::unix_micros,
        error::{Code, Error},
        money::Money,
        reply::{Chunks, Reply},
    },
    pipeline::{
        billing::{Billing, placed_hold::PlacedHold},
        idempotency::stored_reply,
        invocation::Invocation,
        persistence::{AnonymousBytes, Persistence},
        request_log::{
            execution::Execution, record::Status, run_to_completion::RunToCompletion,
            streamed::Streamed,
        },
        settlement_draft::{Draft, Noted, SettlementDraft},
    },
    store::{self, CallId, ClaimEnd, Hold, SettledClaim, SettledHold, Settlement, StoreError},
};

/// The layer that adds [`RequestLog`].
#[derive(Clone, Debug)]
pub(super) struct RecordLayer(pub(super) Option<Arc<Persistence>>, pub(super) Option<Arc<Billing>>);

impl<S> Layer<S> for RecordLayer {
    type Service = RequestLog<S>;

    fn layer(&self, inner: S) -> RequestLog<S> {
        RequestLog { inner, persistence: self.0.clone(), billing: self.1.clone() }
    }
}

/// The service that records calls, if there is a store.
#[derive(Clone, Debug)]
pub(super) struct RequestLog<S> {
    inner: S,
    persistence: Option<Arc<Persistence>>,
    billing: Option<Arc<Billing>>,
}

impl<S> Service<Invocation> for RequestLog<S>
where
    S: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, RunToCompletion>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: Invocation) -> Self::Future {
        let Some(persistence) = self.persistence.clone() else {
            return Either::Left(self.inner.call(invocation));
        };
        let may_cost =
            self.billing.as_ref().is_some_and(|billing| billing.has_price(invocation.method.spec));
        let may_claim =
            persistence.keys.enabled && crate::pipeline::idempotency::can_claim_key(&invocation);
        let must_end = may_cost || may_claim;
        if !must_end && !persistence.records.enabled {
            return Either::Left(self.inner.call(invocation));
        }
        let page = OpenRecord::begin(persistence, invocation.request.call.clone());
        invocation.draft = page.draft.clone();
        let inner = self.inner.call(invocation);
        let work = Box::pin(async { page.end(inner.await).await });
        Either::Right(RunToCompletion::new(work, must_end))
    }
}

/// The open record of a call. It is dropped before its end if the caller has disconnected.
pub(super) struct OpenRecord {
    persistence: Arc<Persistence>,
    call: Call,
    draft: SettlementDraft,
    key: CallId,
    at: SystemTime,
    ended: bool,
}

impl OpenRecord {
    fn begin(persistence: Arc<Persistence>, call: Call) -> Self {
        let key: Arc<str> = String::from_utf8_lossy(&sortable_id()).into();
        Self {
            call,
            draft: SettlementDraft::of(Arc::clone(&key), Arc::clone(&persistence)),
            persistence,
            key,
            at: SystemTime::now(),
            ended: false,
        }
    }

    async fn end(mut self, outcome: Result<Reply, Error>) -> Result<Reply, Error> {
        self.ended = true;
        match outcome {
            Ok(Reply::Items(chunks)) => self.stream(chunks).await.map(Reply::Items),
            Ok(Reply::RawStream(media, chunks)) => {
                self.stream(chunks).await.map(|chunks| Reply::RawStream(media, chunks))
            }
            whole => self.settle(whole).await,
        }
    }

    async fn settle(self, outcome: Result<Reply, Error>) -> Result<Reply, Error> {
        let ending = Execution::of(&self.call, &outcome);
        let draft = self.draft.take();
        // At its deadline, the call has already cost its caller all of its time.
        let waits = !draft.is_open() && Instant::now() < self.call.deadline();
        let settlement = self.settlement(draft, &outcome, ending);
        self.persistence.tell(&settlement.request);
        if settlement.hold.is_none() && settlement.claim.is_none() {
            self.persistence.writer.record(Box::new(settlement.request));
            return outcome;
        }
        // A release of money needs no waiting. A client that retries after a definite failure
        // should find its key free, so the settlement of a key is awaited while there is time.
        // Otherwise the key is free as soon as the writer has come to it.
        if !settlement.charges()
            && (settlement.claim.is_none() || ending == Execution::NotExecuted && !waits)
        {
            self.persistence.writer.settle_in_background(settlement);
            return outcome;
        }
        match self.persistence.writer.settle(settlement).await {
            Ok(()) => outcome,
            // The writer retries for as long as the program runs.
            Err(_) if ending == Execution::NotExecuted => outcome,
            Err(error) => Err(not_written(error)),
        }
    }

    /// Charges a stream before its client reads it. The row is completed when the stream has ended.
    async fn stream(self, chunks: Chunks) -> Result<Chunks, Error> {
        // The items are in `chunks`; the settlement needs only the kind of the reply.
        let begun = Ok(Reply::Items(Box::pin(stream::empty())));
        let mut settlement = self.settlement(self.draft.take(), &begun, Execution::Executed);
        settlement.request.code = Some(store::RequestRecord::STREAMING.into());
        settlement.request.fulfilled = false;
        let charge = settlement.hold.as_ref().and_then(|settled| settled.charge);
        let persistence = Arc::clone(&self.persistence);
        let streamed = Streamed::new(chunks, self, charge);
        if settlement.charges() {
            persistence.writer.settle(settlement).await.map_err(not_written)?;
        } else if settlement.hold.is_some() || settlement.claim.is_some() {
            persistence.writer.settle_in_background(settlement);
        }
        Ok(Box::pin(streamed))
    }

    /// Completes the row of a stream, after all of it has ended.
    pub(super) fn complete(&self, status: Status, charge: Option<Money>) {
        let request = self.to_record(status, charge);
        self.persistence.tell(&request);
        self.persistence.writer.record(Box::new(request));
    }

    /// Returns the settlement of a call that has ended.
    fn settlement(
        &self,
        draft: Draft,
        outcome: &Result<Reply, Error>,
        ending: Execution,
    ) -> Settlement {
        let hold = self.hold(draft.take_hold, outcome, ending);
        let claim = draft.take_claim.map(|claim| {
            let (key, fence) = claim.what;
            let end =
                if claim.is_written { self.claim_end(outcome, ending) } else { ClaimEnd::Undo };
            if self.call.caller().account().is_none() {
                self.persistence.anonymous.add(match &end {
                    ClaimEnd::Complete { reply, .. } => {
                        i64::try_from(reply.len()).unwrap_or(i64::MAX)
                    }
                    ClaimEnd::Release => -AnonymousBytes::KEY,
                    // A claim that is undone was never counted.
                    ClaimEnd::Undo => 0,
                });
            }
            SettledClaim { key, fence, end }
        });
        let request =
            self.to_record(Status::of(outcome), hold.as_ref().and_then(|(_, charge)| *charge));
        let hold = hold.map(|(hold, charge)| SettledHold { hold, charge });
        Settlement { request, hold, claim }
    }

    /// Returns the end of the hold: captured, released, or kept while the outcome is unknown.
    fn hold(
        &self,
        bill: Option<Noted<PlacedHold>>,
        outcome: &Result<Reply, Error>,
        ending: Execution,
    ) -> Option<Ended> {
        let Noted { what: bill, is_written } = bill?;
        Some(match is_written {
            true => bill.charge(&self.call, outcome, ending == Execution::Unknown),
            false => bill.release(&self.call),
        })
    }

    fn to_record(&self, status: Status, charge: Option<Money>) -> store::RequestRecord {
        record::request(&self.call, Arc::clone(&self.key), unix_micros(self.at), status, charge)
    }

    /// Returns the end of the claim: the stored answer, or the release of the key.
    fn claim_end(&self, outcome: &Result<Reply, Error>, ending: Execution) -> ClaimEnd {
        match stored_reply::serialize(outcome).filter(|_| ending != Execution::NotExecuted) {
            Some(reply) => ClaimEnd::Complete {
                reply,
                until: unix_micros(self.at + self.persistence.keys.retention),
            },
            None => ClaimEnd::Release,
        }
    }
}

impl Drop for OpenRecord {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let draft = self.draft.take();
        // Most calls that hold something complete without their caller. The exceptions are a call
        // whose price came with a price list newer than itself, and any call when the program ends.
        let holds = draft.take_claim.is_some() || draft.take_hold.is_some();
        let (code, ending) = match holds && Execution::is_lasting(&self.call) {
            true => (Code::OUTCOME_UNKNOWN, Execution::Unknown),
            false => (record::CANCELLED, Execution::NotExecuted),
        };
        let cut = Err(Error::new(code, "the call was cut off before it had ended"));
        let settlement = self.settlement(draft, &cut, ending);
        self.persistence.tell(&settlement.request);
        if !holds {
            self.persistence.writer.record(Box::new(settlement.request));
        } else {
            self.persistence.writer.settle_in_background(settlement);
        }
    }
}

/// The hold of a call that has ended, and its charge: `None` if the outcome is unknown.
type Ended = (Hold, Option<Money>);

/// Returns the error of a call whose settlement is not written: a success must not be reported
/// before it lasts.
fn not_written(error: StoreError) -> Error {
    let detail = "the call has ended and its outcome is not yet written; retry with the same \
                  idempotency key";
    Error::new(Code::OUTCOME_UNKNOWN, detail).with_log_message(error)
}
