//! Writes down each call when it has ended: its row, and what becomes of the idempotency key that it claimed, in one
//! transaction and before its caller reads the answer.
//!
//! A call that could claim a key runs in a task of its own, so that a caller who leaves does not stop it half-way: what
//! became of it must be known. The rows of other calls are handed over, and nobody waits for them.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::future::Either;
use tower::{Layer, Service};

use super::{Invocation, answer, keeping::Keeping, tab::Tab};
use crate::{
    attempt::{Attempt, Class},
    call::{Call, sortable_name},
    error::{Code, Error},
    money::Money,
    reply::Reply,
    spec::Effect,
    store::{CallKey, Closing, Request, Settlement},
};

/// Makes [`Record`].
#[derive(Clone, Debug)]
pub(super) struct RecordLayer(pub(super) Option<Arc<Keeping>>);

impl<S> Layer<S> for RecordLayer {
    type Service = Record<S>;

    fn layer(&self, inner: S) -> Record<S> {
        Record { inner, keeping: self.0.clone() }
    }
}

/// Writes calls down, if there is something to do it with.
#[derive(Clone, Debug)]
pub(super) struct Record<S> {
    inner: S,
    keeping: Option<Arc<Keeping>>,
}

type Recorded = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

impl<S> Service<Invocation> for Record<S>
where
    S: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>,
{
    type Response = Reply;
    type Error = Error;
    type Future = Either<S::Future, Recorded>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: Invocation) -> Self::Future {
        let Some(keeping) = self.keeping.clone() else { return Either::Left(self.inner.call(invocation)) };
        invocation.tab = Tab::kept();
        let page = Page::begin(keeping, invocation.request.call.clone(), invocation.tab.clone());
        let may_claim = super::idempotency::may_claim(&invocation);
        let inner = self.inner.call(invocation);
        let work = async { page.end(inner.await).await };
        Either::Right(if may_claim { Box::pin(on_its_own(work)) } else { Box::pin(work) })
    }
}

/// Goes on also when nobody waits for it any more.
async fn on_its_own(work: impl Future<Output = Result<Reply, Error>> + Send + 'static) -> Result<Reply, Error> {
    tokio::spawn(work).await.unwrap_or_else(|error| Err(Error::internal(format!("a call was ended: {error}"))))
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
    fn begin(keeping: Arc<Keeping>, call: Call, tab: Tab) -> Self {
        let key: Arc<str> = String::from_utf8_lossy(&sortable_name()).into();
        Self { keeping, call, tab, key, at: SystemTime::now(), ended: false }
    }

    async fn end(mut self, outcome: Result<Reply, Error>) -> Result<Reply, Error> {
        self.ended = true;
        let request = match &outcome {
            Ok(Reply::Empty) => self.row(204, None),
            Ok(_) => self.row(200, None),
            Err(error) => self.row(error.code().status(), Some(error.code().name())),
        };
        let Some((key, fence)) = self.tab.claim() else {
            self.hand_over(request);
            return outcome;
        };
        let closing = match answer::keep(&outcome).filter(|_| was_carried_out(&self.call, &outcome)) {
            Some(answer) => Closing::Answer(answer, micros(self.at + self.keeping.keys.kept)),
            None => Closing::Release,
        };
        let settlement = Settlement { request, hold: None, claim: Some((key, fence, closing)) };
        match self.keeping.journal.settle(settlement).await {
            Ok(()) => outcome,
            // Whoever is told that it is done may rely on its not being done again.
            Err(error) => Err(Error::new(
                Code::OUTCOME_UNKNOWN,
                "the call has ended, and how could not be written down yet; ask again with the same key",
            )
            .log(error)),
        }
    }

    fn hand_over(&self, request: Request) {
        if let Err(request) = self.keeping.journal.record(Box::new(request)) {
            let row = serde_json::to_string(&request).unwrap_or_default();
            tracing::error!(row, "the database is away for too long: a record stands here and nowhere else");
        }
    }

    fn row(&self, status: u16, code: Option<&str>) -> Request {
        let call = &self.call;
        let (service, method) = (call.service(), call.method());
        let (provider, cost, attempts) = call.with_attempts(|attempts| {
            let answered = attempts.iter().rev().find(|attempt| attempt.class == Class::Fulfilled);
            let json = (!attempts.is_empty()).then(|| serde_json::to_string(attempts).unwrap_or_default());
            (answered.map(|attempt| attempt.provider.to_owned()), cost_of(attempts), json)
        });
        Request {
            call: Arc::clone(&self.key),
            request_id: call.id().as_str().to_owned(),
            at: micros(self.at),
            account: call.caller().account().map(Arc::from),
            user: call.caller().user().map(Arc::from),
            origin: call.origin().as_str().to_owned(),
            service: service.name.to_owned(),
            version: service.version,
            method: method.name.to_owned(),
            status,
            code: code.map(str::to_owned),
            fulfilled: status < 400,
            cache_hit: false,
            replay: call.is_replayed(),
            price: None,
            currency: None,
            cost: cost.map(Money::nanos),
            cost_currency: cost.map(|cost| cost.currency().to_string()),
            provider,
            duration: i64::try_from(call.started().elapsed().as_micros()).unwrap_or(i64::MAX),
            peer: call.peer().map(|peer| peer.to_string()),
            trace: trace_id(call),
            attempts,
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        if !self.ended {
            // 499 is what nginx writes for a client that closed its connection first.
            self.hand_over(self.row(499, Some("cancelled")));
        }
    }
}

/// Whether a call with this outcome may not be carried out again: it was, or nobody knows.
fn was_carried_out(call: &Call, outcome: &Result<Reply, Error>) -> bool {
    let Err(error) = outcome else { return true };
    match error.code().status() {
        _ if error.code() == Code::OUTCOME_UNKNOWN => true,
        // The gateway's refusals: nothing has begun.
        401..=403 | 429 => false,
        // The author's own refusal; the pool says of every other 4xx what it was.
        400..=499 => !error.is_retryable(),
        // What failed somewhere inside may have happened, unless every attempt at a provider says that it did not.
        500 => matches!(call.method().effect, Effect::Once | Effect::Keyed) && !nothing_happened(call),
        _ => false,
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
    let mut carried_out = attempts.iter().filter(|a| matches!(a.class, Class::Fulfilled | Class::Ambiguous));
    let first = carried_out.next()?.cost?;
    carried_out.try_fold(first, |sum, attempt| sum.checked_add(attempt.cost?))
}

/// The trace's id, from `traceparent` (W3C Trace Context §3.2).
fn trace_id(call: &Call) -> Option<String> {
    let parent = call.headers().get("traceparent")?.to_str().ok()?;
    let id = parent.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// Microseconds since 1970.
pub(super) fn micros(at: SystemTime) -> i64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
