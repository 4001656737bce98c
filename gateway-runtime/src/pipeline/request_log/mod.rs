//! The request log: when a call has ended, its row, its charge and the end of its idempotency key are written in one
//! transaction, before its caller reads the reply (SEMANTICS §8).
//!
//! A call that may claim a key or cost something is completed by a task of its own when its caller disconnects, since its outcome
//! must be known. The rows of other calls are queued, and no caller waits for them.
//!
//! A stream is charged when it begins. Its row is marked `streaming` then, and is completed when the stream has ended.

pub(super) mod execution;
pub(super) mod row;
pub(super) mod run_to_completion;
pub(super) mod streamed;

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::{Instant, SystemTime},
};

use futures_util::{future::Either, stream};
use tower::{Layer, Service};

use crate::{
    base::{
        call::{Call, sortable_name},
        duration::unix_micros,
        error::{Code, Error},
        money::Money,
        reply::{Chunks, Reply},
    },
    pipeline::{
        Invocation,
        billing::{Bill, Billing},
        idempotency::stored_reply,
        persistence::{AnonymousBytes, Keeping},
        request_log::{execution::Ending, row::Status, run_to_completion::Recording, streamed::Streamed},
        settlement_draft::{Draft, Noted, Tab},
    },
    store::{self, CallKey, Closing, Hold, Settlement, StoreError},
};

/// Makes [`Record`].
#[derive(Clone, Debug)]
pub(super) struct RecordLayer(pub(super) Option<Arc<Keeping>>, pub(super) Option<Arc<Billing>>);

impl<S> Layer<S> for RecordLayer {
    type Service = Record<S>;

    fn layer(&self, inner: S) -> Record<S> {
        Record { inner, keeping: self.0.clone(), billing: self.1.clone() }
    }
}

/// Writes calls down, if there is something to do it with.
#[derive(Clone, Debug)]
pub(super) struct Record<S> {
    inner: S,
    keeping: Option<Arc<Keeping>>,
    billing: Option<Arc<Billing>>,
}

impl<S> Service<Invocation> for Record<S>
where
    S: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, Recording>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: Invocation) -> Self::Future {
        let Some(keeping) = self.keeping.clone() else { return Either::Left(self.inner.call(invocation)) };
        let may_cost = self.billing.as_ref().is_some_and(|billing| billing.has_price(invocation.method.spec));
        let may_claim = keeping.keys.enabled && crate::pipeline::idempotency::may_claim(&invocation);
        let must_end = may_cost || may_claim;
        if !must_end && !keeping.records.enabled {
            return Either::Left(self.inner.call(invocation));
        }
        let page = Page::begin(keeping, invocation.request.call.clone());
        invocation.tab = page.tab.clone();
        let inner = self.inner.call(invocation);
        let work = Box::pin(async { page.end(inner.await).await });
        Either::Right(Recording::new(work, must_end))
    }
}

/// What is to be written of a call; dropped without an end, its caller has left.
pub(super) struct Page {
    keeping: Arc<Keeping>,
    call: Call,
    tab: Tab,
    key: CallKey,
    at: SystemTime,
    ended: bool,
}

impl Page {
    fn begin(keeping: Arc<Keeping>, call: Call) -> Self {
        let key: Arc<str> = String::from_utf8_lossy(&sortable_name()).into();
        Self {
            call,
            tab: Tab::of(Arc::clone(&key), Arc::clone(&keeping)),
            keeping,
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
        let ending = Ending::of(&self.call, &outcome);
        let draft = self.tab.take();
        // What was cut off has cost its caller the whole time already.
        let waits = !draft.is_open() && Instant::now() < self.call.deadline();
        let settlement = self.settlement(draft, &outcome, ending);
        self.keeping.tell(&settlement.request);
        if settlement.hold.is_none() && settlement.claim.is_none() {
            self.keeping.journal.record(Box::new(settlement.request));
            return outcome;
        }
        // Nobody waits for money that is released. Whoever sends a definite failure again had better find the key free,
        // but need not: it is free as soon as the journal has come to it.
        if !settlement.charges() && (settlement.claim.is_none() || ending == Ending::NotExecuted && !waits) {
            self.keeping.journal.hand_in(settlement);
            return outcome;
        }
        match self.keeping.journal.settle(settlement).await {
            Ok(()) => outcome,
            // It is tried again as long as the program runs.
            Err(_) if ending == Ending::NotExecuted => outcome,
            Err(error) => Err(not_written(error)),
        }
    }

    /// Charges a stream before its client reads it; its row is completed when the stream has ended.
    async fn stream(self, chunks: Chunks) -> Result<Chunks, Error> {
        // Whatever it will yield: its items are in `chunks`.
        let begun = Ok(Reply::Items(Box::pin(stream::empty())));
        let mut settlement = self.settlement(self.tab.take(), &begun, Ending::CarriedOut);
        settlement.request.code = Some(store::Request::STREAMING.into());
        settlement.request.fulfilled = false;
        let charge = settlement.hold.as_ref().and_then(|(_, charge)| *charge);
        let keeping = Arc::clone(&self.keeping);
        let streamed = Streamed::new(chunks, self, charge);
        if settlement.charges() {
            keeping.journal.settle(settlement).await.map_err(not_written)?;
        } else if settlement.hold.is_some() || settlement.claim.is_some() {
            keeping.journal.hand_in(settlement);
        }
        Ok(Box::pin(streamed))
    }

    /// Writes how a stream has ended, after everything of it has.
    pub(super) fn complete(&self, status: Status, charge: Option<Money>) {
        let request = self.row(status, charge);
        self.keeping.tell(&request);
        self.keeping.journal.record(Box::new(request));
    }

    /// What is written of a call that has ended.
    fn settlement(&self, draft: Draft, outcome: &Result<Reply, Error>, ending: Ending) -> Settlement {
        let hold = self.hold(draft.bill, outcome, ending);
        let claim = draft.claim.map(|claim| {
            let (key, fence) = claim.what;
            let closing = if claim.is_written { self.closing(outcome, ending) } else { Closing::Undo };
            if self.call.caller().account().is_none() {
                self.keeping.anonymous.add(match &closing {
                    Closing::Answer(answer, _) => i64::try_from(answer.len()).unwrap_or(i64::MAX),
                    Closing::Release => -AnonymousBytes::KEY,
                    // It was not counted.
                    Closing::Undo => 0,
                });
            }
            (key, fence, closing)
        });
        let request = self.row(Status::of(outcome), hold.as_ref().and_then(|(_, charge)| *charge));
        Settlement { request, hold, claim }
    }

    /// What becomes of the money.
    fn hold(&self, bill: Option<Noted<Bill>>, outcome: &Result<Reply, Error>, ending: Ending) -> Option<Ended> {
        let Noted { what: bill, is_written } = bill?;
        Some(match is_written {
            true => bill.settle(&self.call, outcome, ending == Ending::Unknown),
            false => bill.release(&self.call),
        })
    }

    fn row(&self, status: Status, charge: Option<Money>) -> store::Request {
        row::request(&self.call, Arc::clone(&self.key), unix_micros(self.at), status, charge)
    }

    /// What becomes of the key.
    fn closing(&self, outcome: &Result<Reply, Error>, ending: Ending) -> Closing {
        match stored_reply::keep(outcome).filter(|_| ending != Ending::NotExecuted) {
            Some(answer) => Closing::Answer(answer, unix_micros(self.at + self.keeping.keys.kept)),
            None => Closing::Release,
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let draft = self.tab.take();
        // Most calls that hold something go on without their caller; one whose price came with a list that is newer than
        // the call does not, nor any when the program ends.
        let holds = draft.claim.is_some() || draft.bill.is_some();
        let (code, ending) = match holds && Ending::is_lasting(&self.call) {
            true => (Code::OUTCOME_UNKNOWN, Ending::Unknown),
            false => (row::CANCELLED, Ending::NotExecuted),
        };
        let cut = Err(Error::new(code, "the call was cut off before it had ended"));
        let settlement = self.settlement(draft, &cut, ending);
        self.keeping.tell(&settlement.request);
        if !holds {
            self.keeping.journal.record(Box::new(settlement.request));
        } else {
            self.keeping.journal.hand_in(settlement);
        }
    }
}

/// The hold of a call that has ended, and its charge: `None` when nobody knows.
type Ended = (Hold, Option<Money>);

/// Whoever is told that it is done may rely on its being written down.
fn not_written(error: StoreError) -> Error {
    let detail = "the call has ended, and its outcome could not be written yet; if it has an idempotency key, send it again with it";
    Error::new(Code::OUTCOME_UNKNOWN, detail).log(error)
}
