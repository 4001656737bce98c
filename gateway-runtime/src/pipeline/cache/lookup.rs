//! A call whose answer is not at hand: it is found elsewhere, being made, or made by this call.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::{
    base::{
        call::{Call, CallRequest},
        error::{Code, Error},
        reply::Reply,
    },
    cache::{Entry, Key, Ticket},
    pipeline::{
        Invocation,
        access_log::TraceLayer,
        billing::Billing,
        cache::{Asks, Caching, Status, Terms, Use, Why, policy::tell_of_nothing},
        catch_panic::UnwindLayer,
        deadline::DeadlineLayer,
        persistence::Keeping,
        request_log::RecordLayer,
        settlement_draft::Tab,
    },
};

/// What a flight brings to all who wait for it.
#[derive(Debug)]
pub(super) enum Landed {
    /// Somebody had made it in the meantime.
    Found(Entry),
    /// It was made, and maybe kept.
    Made(Entry, bool),
    /// It could not be made, which ended with this status; this is the old one.
    Failed(Entry, u16),
}

/// What a leader has that others cannot be given: its failure, or a stream. Another has to lead on.
type Alone = Result<Reply, Error>;

/// Who gets the answer, and pays for it.
struct Asker {
    call: Call,
    tab: Tab,
}

impl Asker {
    fn of(invocation: &Invocation) -> Self {
        Self { call: invocation.request.call.clone(), tab: invocation.tab.clone() }
    }
}

/// The search for one call's answer.
#[derive(Clone)]
pub(super) struct Search {
    pub(super) caching: Arc<Caching>,
    pub(super) keeping: Option<Arc<Keeping>>,
    pub(super) billing: Option<Arc<Billing>>,
    pub(super) key: Key,
    pub(super) asks: Asks,
}

/// A stage that calls can be sent on to.
pub(super) trait Inner:
    Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static> + Clone + Send + Sync + 'static
{
}

impl<S> Inner for S where
    S: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static> + Clone + Send + Sync + 'static
{
}

impl Search {
    pub(super) async fn answer<S: Inner>(self, inner: S, invocation: Invocation) -> Result<Reply, Error> {
        let caching = Arc::clone(&self.caching);
        // It was there when the call came in.
        let Some(terms) = caching.terms(&invocation.method) else { return inner.oneshot(invocation).await };
        let at = Asker::of(&invocation);
        if self.asks.no_cache {
            return self.reload(terms, inner, invocation).await;
        }
        let Some(entry) = caching.backend.find(&self.key).await else {
            return self.join(terms, inner, invocation, None).await;
        };
        let age = entry.age();
        match terms.judge(age) {
            _ if !self.asks.allows(age) => self.reload(terms, inner, invocation).await,
            Use::Fresh => self.give(&at, terms, Status::Hit, entry).await,
            Use::Revalidate => {
                // Who cannot pay for it does not have it made anew either.
                let given = self.give(&at, terms, Status::Hit, entry).await?;
                self.revalidate(inner, invocation);
                Ok(given)
            }
            Use::IfError => self.join(terms, inner, invocation, Some(entry)).await,
            Use::None => self.join(terms, inner, invocation, None).await,
        }
    }

    /// The answer as its client wants it: made. Nobody else waits for it, and it is kept.
    async fn reload<S: Inner>(&self, terms: &Terms, inner: S, invocation: Invocation) -> Result<Reply, Error> {
        let at = Asker::of(&invocation);
        match self.make(terms, inner, invocation, None).await {
            Ok(landed) => self.made(terms, &at, Why::Request, &landed).await,
            Err(alone) => self.alone(&at.call, Why::Request, alone),
        }
    }

    /// The answer that is being made, or made by this call for all who come meanwhile.
    async fn join<S: Inner>(
        &self,
        terms: &Terms,
        inner: S,
        invocation: Invocation,
        stale: Option<Entry>,
    ) -> Result<Reply, Error> {
        let at = Asker::of(&invocation);
        let why = if stale.is_some() { Why::Stale } else { Why::Miss };
        let mut leads = false;
        let ticket = self.caching.flights.join(self.key.clone());
        let landed = ticket
            .land(|| {
                leads = true;
                self.lead(terms, inner, invocation, stale)
            })
            .await;
        let (status, entry) = match landed {
            Ok(landed) if leads => return self.made(terms, &at, why, landed).await,
            Ok(Landed::Found(entry)) => (Status::Hit, entry),
            Ok(Landed::Made(entry, _)) => (Status::Collapsed(why), entry),
            Ok(Landed::Failed(entry, status)) => (Status::Failed { status: *status, collapsed: true }, entry),
            Err(alone) => return self.alone(&at.call, why, alone),
        };
        self.give(&at, terms, status, entry.clone()).await
    }

    /// Makes the answer anew, in a task and by a call of the gateway's own, unless somebody does already.
    fn revalidate<S: Inner>(self, inner: S, invocation: Invocation) {
        let Some(ticket) = self.caching.flights.begin(self.key.clone()) else { return };
        let Invocation { method, request, .. } = invocation;
        let request = CallRequest { call: request.call.anew(), input: request.input };
        let (search, keeping) = (self.clone(), self.keeping);
        let renewal = Arc::new(Renewal { search, ticket, inner });
        // As any call: with its line in the log, its row, its time, and whatever it does within it.
        let stack = ServiceBuilder::new()
            .layer(TraceLayer)
            .layer(RecordLayer(keeping, None))
            .layer(UnwindLayer)
            .layer(DeadlineLayer)
            .service(service_fn(move |invocation| Arc::clone(&renewal).carry_out(invocation)));
        tokio::spawn(stack.oneshot(Invocation { method, request, tab: Tab::default(), authorized: None }));
    }

    /// Makes the answer, unless somebody has while this call was on its way here.
    async fn lead<S: Inner>(
        &self,
        terms: &Terms,
        inner: S,
        invocation: Invocation,
        stale: Option<Entry>,
    ) -> Result<Landed, Alone> {
        match self.caching.backend.find(&self.key).await {
            Some(entry) if terms.judge(entry.age()) == Use::Fresh => Ok(Landed::Found(entry)),
            _ => self.make(terms, inner, invocation, stale).await,
        }
    }

    async fn make<S: Inner>(
        &self,
        terms: &Terms,
        inner: S,
        invocation: Invocation,
        stale: Option<Entry>,
    ) -> Result<Landed, Alone> {
        let Some(stale) = stale else {
            let reply = inner.oneshot(invocation).await.map_err(Err)?;
            return self.keep(terms, reply).await.map_err(Ok);
        };
        let at = invocation.request.call.clone();
        // Panics and lateness too are failures that the old answer is better than.
        let outcome = timeout_at(in_time(&at), UnwindLayer.layer(inner).oneshot(invocation)).await;
        match outcome.unwrap_or_else(|_| Err(Error::new(Code::TIMEOUT, "the call was not answered in its time"))) {
            Ok(reply) => self.keep(terms, reply).await.map_err(Ok),
            Err(error) if error.code().status() >= 500 => {
                let internal = error.internal_message();
                let (request_id, code, detail) = (at.id().as_str(), error.code().name(), error.detail());
                tracing::warn!(request_id, code, detail, internal, "failed, and is answered from the cache");
                Ok(Landed::Failed(stale, error.code().status()))
            }
            Err(error) => Err(Err(error)),
        }
    }

    /// Keeps a reply; gives it back if it is a stream.
    async fn keep(&self, terms: &Terms, reply: Reply) -> Result<Landed, Reply> {
        let body = match reply {
            Reply::Empty => Bytes::new(),
            Reply::Json(body) | Reply::Raw(_, body) => body,
            stream => return Err(stream),
        };
        let stored = Instant::now();
        if body.len() > self.caching.longest {
            return Ok(Landed::Made(Entry { body, stored }, false));
        }
        // Of its own: what is written as JSON has room to grow, which would be held too.
        let entry = Entry { body: Bytes::copy_from_slice(&body), stored };
        let kept = self.caching.backend.keep(self.key.clone(), entry.clone(), terms.kept()).await;
        Ok(Landed::Made(entry, kept))
    }

    /// The answer of the call that led.
    async fn made(&self, terms: &Terms, at: &Asker, why: Why, landed: &Landed) -> Result<Reply, Error> {
        match landed {
            Landed::Made(entry, kept) => {
                let status = Status::Made { why, kept: *kept };
                self.caching.figures.count(status);
                terms.tell(&at.call, status, entry.age());
                Ok(terms.reply(entry.body.clone()))
            }
            Landed::Found(entry) => self.give(at, terms, Status::Hit, entry.clone()).await,
            Landed::Failed(entry, status) => {
                let status = Status::Failed { status: *status, collapsed: false };
                self.give(at, terms, status, entry.clone()).await
            }
        }
    }

    /// An answer that was made for another call, if this one can pay for it.
    async fn give(&self, at: &Asker, terms: &Terms, status: Status, entry: Entry) -> Result<Reply, Error> {
        if let Some(billing) = &self.billing {
            billing.hold_for_hit(&at.call, &at.tab).await?;
        }
        let age = entry.age();
        Ok(self.caching.give(&at.call, terms, status, entry, age))
    }

    fn alone(&self, at: &Call, why: Why, alone: Alone) -> Result<Reply, Error> {
        self.caching.figures.count(Status::Made { why, kept: false });
        tell_of_nothing(at, why);
        alone
    }
}

/// An answer that is being made anew.
struct Renewal<S> {
    search: Search,
    ticket: Ticket<Landed>,
    inner: S,
}

impl<S: Inner> Renewal<S> {
    async fn carry_out(self: Arc<Self>, invocation: Invocation) -> Result<Reply, Error> {
        let Self { search, ticket, inner } = &*self;
        let caching = &search.caching;
        let at = Asker::of(&invocation);
        let Some(terms) = caching.terms(&invocation.method) else { return inner.clone().oneshot(invocation).await };
        match ticket.land(|| search.make(terms, inner.clone(), invocation, None)).await {
            Ok(landed) => search.made(terms, &at, Why::Stale, landed).await,
            Err(alone) => search.alone(&at.call, Why::Stale, alone),
        }
    }
}

/// When the old answer has to be given if it is to come in time: a twentieth of the call's time before its end.
fn in_time(call: &Call) -> Instant {
    let reserve: Duration = (call.deadline() - call.started()) / 20;
    Instant::from_std(call.deadline() - reserve)
}
