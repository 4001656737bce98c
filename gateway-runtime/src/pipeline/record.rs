//! Writes down each call when it has ended: its row, what it is charged, and what becomes of the idempotency key that it
//! claimed, in one transaction and before its caller reads the answer.
//!
//! A call that could claim a key or cost something goes on in a task of its own when its caller leaves, so that it is not
//! stopped half-way: what became of it must be known. The rows of other calls are handed over, and nobody waits for them.

use std::{
    borrow::Cow,
    sync::Arc,
    task::{Context, Poll},
    time::SystemTime,
};

use futures_util::future::Either;
use tower::{Layer, Service};

use super::{Invocation, answer, billing::Billing, keeping::Keeping, recording::Recording, tab::Tab};
use crate::{
    attempt::{Attempt, Class},
    call::{Call, sortable_name},
    duration::unix_micros,
    error::{Code, Error},
    money::Money,
    reply::Reply,
    spec::Effect,
    store::{CallKey, Closing, Request, Settlement},
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
        let may_claim = keeping.keys.enabled && super::idempotency::may_claim(&invocation);
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
struct Page {
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
        Self { keeping, call, tab: Tab::of(Arc::clone(&key)), key, at: SystemTime::now(), ended: false }
    }

    async fn end(mut self, outcome: Result<Reply, Error>) -> Result<Reply, Error> {
        self.ended = true;
        let (bill, claim) = (self.tab.bill(), self.tab.claim());
        let ending = Ending::of(&self.call, &outcome);
        let hold = bill.map(|bill| bill.settle(&self.call, &outcome, ending == Ending::Unknown));
        let (status, code) = match &outcome {
            Ok(Reply::Empty) => (204, None),
            Ok(_) => (200, None),
            Err(error) => (error.code().status(), Some(error.code().name())),
        };
        let request = self.row(status, code, hold.as_ref().and_then(|(_, charge)| *charge));
        self.keeping.tell(&request);
        let owes = hold.as_ref().is_some_and(|(_, charge)| charge.is_some_and(|charge| charge.nanos() > 0));
        let claim = claim.map(|(key, fence)| (key, fence, self.closing(&outcome, ending)));
        if hold.is_none() && claim.is_none() {
            self.keeping.journal.record(Box::new(request));
            return outcome;
        }
        let settlement = Settlement { request, hold, claim };
        if !owes && settlement.claim.is_none() {
            // Money that is given back is nobody's to wait for.
            self.keeping.journal.hand_in(settlement);
            return outcome;
        }
        match self.keeping.journal.settle(settlement).await {
            Ok(()) => outcome,
            // Whoever is told that it is done may rely on its being written down.
            Err(error) => Err(Error::new(
                Code::OUTCOME_UNKNOWN,
                "the call has ended, and how could not be written down yet; with the same key it can be asked for again",
            )
            .log(error)),
        }
    }

    /// What becomes of the key.
    fn closing(&self, outcome: &Result<Reply, Error>, ending: Ending) -> Closing {
        match answer::keep(outcome).filter(|_| ending != Ending::NothingHappened) {
            Some(answer) => Closing::Answer(answer, unix_micros(self.at + self.keeping.keys.kept)),
            None => Closing::Release,
        }
    }

    fn row(&self, status: u16, code: Option<&'static str>, price: Option<Money>) -> Request {
        let call = &self.call;
        let (service, method) = (call.service(), call.method());
        let (provider, cost, attempts) = call.with_attempts(|attempts| {
            let answered = attempts.iter().rev().find(|attempt| attempt.class == Class::Fulfilled);
            let json = (!attempts.is_empty()).then(|| serde_json::to_string(attempts).unwrap_or_default());
            (answered.map(|attempt| Cow::Borrowed(attempt.provider)), cost_of(attempts), json)
        });
        Request {
            call: Arc::clone(&self.key),
            request_id: call.id().as_str().to_owned(),
            at: unix_micros(self.at),
            account: call.caller().account().map(Arc::from),
            user: call.caller().user().map(Arc::from),
            origin: call.origin().as_str().into(),
            service: service.name.into(),
            version: service.version,
            method: method.name.into(),
            status,
            code: code.map(Cow::Borrowed),
            fulfilled: status < 400,
            cache_hit: call.is_cache_hit(),
            replay: call.is_replayed(),
            price: price.map(Money::nanos),
            currency: price.map(Money::currency),
            cost: cost.map(Money::nanos),
            cost_currency: cost.map(Money::currency),
            provider,
            duration: i64::try_from(call.started().elapsed().as_micros()).unwrap_or(i64::MAX),
            peer: call.peer().map(|peer| peer.to_string()),
            trace: call.trace_id().map(str::to_owned),
            attempts,
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if !self.ended {
            // 499 is what nginx writes for a client that closed its connection first.
            let request = self.row(499, Some("cancelled"), None);
            self.keeping.tell(&request);
            self.keeping.journal.record(Box::new(request));
        }
    }
}

/// Whether a call was carried out, or may have been.
pub(crate) fn may_have_happened(call: &Call, outcome: &Result<Reply, Error>) -> bool {
    Ending::of(call, outcome) != Ending::NothingHappened
}

/// What can be said of a call by its outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It was carried out, and has its answer, good or bad.
    CarriedOut,
    /// It was not carried out, and the next may be.
    NothingHappened,
    /// It may have been carried out, or half of it.
    Unknown,
}

impl Ending {
    fn of(call: &Call, outcome: &Result<Reply, Error>) -> Self {
        let Err(error) = outcome else { return Self::CarriedOut };
        match error.code().status() {
            _ if error.code() == Code::OUTCOME_UNKNOWN => Self::Unknown,
            // The author's own refusal; the pool says of every other 4xx what it was.
            400 | 404..=428 | 430..=499 if !error.is_retryable() => Self::CarriedOut,
            // What failed somewhere inside may have happened, unless every attempt at a provider says that it did not.
            500 if matches!(call.method().effect, Effect::Once | Effect::Keyed) && !nothing_happened(call) => {
                Self::Unknown
            }
            // The gateway's refusals among them, 401 to 403 and 429: nothing has begun.
            _ => Self::NothingHappened,
        }
    }
}

fn nothing_happened(call: &Call) -> bool {
    let harmless = |attempt: &Attempt| {
        matches!(attempt.class, Class::NotSent | Class::Rejected | Class::Unsupported | Class::Invalid)
    };
    call.with_attempts(|attempts| !attempts.is_empty() && attempts.iter().all(harmless))
}

/// What the attempts that were carried out cost, or may have been; none when that is not known of each, in one currency.
fn cost_of(attempts: &[Attempt]) -> Option<Money> {
    let mut carried_out = attempts.iter().filter(|attempt| attempt.class.may_have_cost());
    let first = carried_out.next()?.cost?;
    carried_out.try_fold(first, |sum, attempt| sum.checked_add(attempt.cost?))
}
