//! The lookup of a reply that is not at hand: it is in the store, in another call's flight, or made
//! by this call.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};
use tower::{Layer, ServiceExt};

use crate::{
    base::{
        call::Call,
        error::{Code, Error},
        reply::Reply,
    },
    cache::{CacheKey, CachedReply},
    pipeline::{
        billing::Billing,
        cache::{
            CachePolicy, CacheStatus, ForwardReason, Freshness, ReplyCache, RequestDirectives,
            policy::tell_of_nothing,
        },
        call_service::CallService,
        catch_panic::UnwindLayer,
        invocation::Invocation,
        persistence::Persistence,
        settlement_draft::SettlementDraft,
    },
};

/// The result of a flight, for all that wait for it.
#[derive(Debug)]
pub(super) enum FlightResult {
    /// A reply that another call had stored in the meantime.
    Found(CachedReply),
    /// A reply that this flight made, and whether it is stored.
    Made(CachedReply, bool),
    /// A stale reply, since making a new one failed with this status.
    Failed(CachedReply, u16),
}

/// A result of a flight's leader that cannot be shared: a failure, or a stream. Another waiter
/// leads on.
type Unshared = Result<Reply, Error>;

/// The call that receives the reply and pays for it.
pub(super) struct Recipient {
    pub(super) call: Call,
    draft: SettlementDraft,
}

impl Recipient {
    pub(super) fn of(invocation: &Invocation) -> Self {
        Self { call: invocation.request.call.clone(), draft: invocation.draft.clone() }
    }
}

/// The cache lookup of one call.
#[derive(Clone)]
pub(super) struct CacheLookup {
    pub(super) caching: Arc<ReplyCache>,
    pub(super) persistence: Option<Arc<Persistence>>,
    pub(super) billing: Option<Arc<Billing>>,
    pub(super) key: CacheKey,
    pub(super) asks: RequestDirectives,
}

impl CacheLookup {
    pub(super) async fn answer<S: CallService>(
        self,
        inner: S,
        invocation: Invocation,
    ) -> Result<Reply, Error> {
        let caching = Arc::clone(&self.caching);
        // The policy was there when the layer looked, so this branch is never taken.
        let Some(terms) = caching.terms(&invocation.method) else {
            return inner.oneshot(invocation).await;
        };
        let at = Recipient::of(&invocation);
        if self.asks.no_cache {
            return self.reload(terms, inner, invocation).await;
        }
        let Some(entry) = caching.backend.get(&self.key).await else {
            return self.join(terms, inner, invocation, None).await;
        };
        let age = entry.age();
        match terms.judge(age) {
            _ if !self.asks.allows(age) => self.reload(terms, inner, invocation).await,
            Freshness::Fresh => self.give(&at, terms, CacheStatus::Hit, entry).await,
            Freshness::Revalidate => {
                // Paid for first: a call that cannot pay starts no revalidation.
                let given = self.give(&at, terms, CacheStatus::Hit, entry).await?;
                self.revalidate(inner, invocation);
                Ok(given)
            }
            Freshness::IfError => self.join(terms, inner, invocation, Some(entry)).await,
            Freshness::None => self.join(terms, inner, invocation, None).await,
        }
    }

    /// Makes the reply, as its client requires, and stores it. No other call waits for it.
    async fn reload<S: CallService>(
        &self,
        terms: &CachePolicy,
        inner: S,
        invocation: Invocation,
    ) -> Result<Reply, Error> {
        let at = Recipient::of(&invocation);
        match self.make(terms, inner, invocation, None).await {
            Ok(landed) => self.made(terms, &at, ForwardReason::Request, &landed).await,
            Err(alone) => self.alone(&at.call, ForwardReason::Request, alone),
        }
    }

    /// Joins the flight that makes the reply, or leads one for all calls that arrive meanwhile.
    async fn join<S: CallService>(
        &self,
        terms: &CachePolicy,
        inner: S,
        invocation: Invocation,
        stale: Option<CachedReply>,
    ) -> Result<Reply, Error> {
        let at = Recipient::of(&invocation);
        let why = if stale.is_some() { ForwardReason::Stale } else { ForwardReason::Miss };
        let mut leads = false;
        let ticket = self.caching.flights.join(self.key.clone());
        let landed = ticket
            .join_or_lead(|| {
                leads = true;
                self.lead(terms, inner, invocation, stale)
            })
            .await;
        let (status, entry) = match landed {
            Ok(landed) if leads => return self.made(terms, &at, why, landed).await,
            Ok(FlightResult::Found(entry)) => (CacheStatus::Hit, entry),
            Ok(FlightResult::Made(entry, _)) => (CacheStatus::Collapsed(why), entry),
            Ok(FlightResult::Failed(entry, status)) => {
                (CacheStatus::Failed { status: *status, collapsed: true }, entry)
            }
            Err(alone) => return self.alone(&at.call, why, alone),
        };
        self.give(&at, terms, status, entry.clone()).await
    }

    /// Makes the reply, unless another call has stored a fresh one meanwhile.
    async fn lead<S: CallService>(
        &self,
        terms: &CachePolicy,
        inner: S,
        invocation: Invocation,
        stale: Option<CachedReply>,
    ) -> Result<FlightResult, Unshared> {
        match self.caching.backend.get(&self.key).await {
            Some(entry) if terms.judge(entry.age()) == Freshness::Fresh => {
                Ok(FlightResult::Found(entry))
            }
            _ => self.make(terms, inner, invocation, stale).await,
        }
    }

    pub(super) async fn make<S: CallService>(
        &self,
        terms: &CachePolicy,
        inner: S,
        invocation: Invocation,
        stale: Option<CachedReply>,
    ) -> Result<FlightResult, Unshared> {
        let Some(stale) = stale else {
            let reply = inner.oneshot(invocation).await.map_err(Err)?;
            return self.keep(terms, reply).await.map_err(Ok);
        };
        let at = invocation.request.call.clone();
        // A stale reply is better than a panic or a timeout too.
        let outcome =
            timeout_at(stale_deadline(&at), UnwindLayer.layer(inner).oneshot(invocation)).await;
        match outcome.unwrap_or_else(|_| Err(Error::new(Code::TIMEOUT, "deadline exceeded"))) {
            Ok(reply) => self.keep(terms, reply).await.map_err(Ok),
            Err(error) if error.code().status() >= 500 => {
                let internal = error.log_message();
                let (request_id, code, detail) =
                    (at.id().as_str(), error.code().name(), error.detail());
                tracing::warn!(
                    request_id,
                    code,
                    detail,
                    internal,
                    "call failed; a stale reply was sent from the cache"
                );
                Ok(FlightResult::Failed(stale, error.code().status()))
            }
            Err(error) => Err(Err(error)),
        }
    }

    /// Stores a reply; returns it if it is a stream.
    async fn keep(&self, terms: &CachePolicy, reply: Reply) -> Result<FlightResult, Reply> {
        let body = match reply {
            Reply::Empty => Bytes::new(),
            Reply::Json(body) | Reply::Raw(_, body) => body,
            stream => return Err(stream),
        };
        let stored = Instant::now();
        if body.len() > self.caching.longest {
            return Ok(FlightResult::Made(CachedReply { body, stored }, false));
        }
        // Copied, since serialised JSON has spare capacity, which the cache would hold too.
        let entry = CachedReply { body: Bytes::copy_from_slice(&body), stored };
        let kept = self.caching.backend.put(self.key.clone(), entry.clone(), terms.kept()).await;
        Ok(FlightResult::Made(entry, kept))
    }

    /// Returns the reply to the call that led the flight.
    pub(super) async fn made(
        &self,
        terms: &CachePolicy,
        at: &Recipient,
        why: ForwardReason,
        landed: &FlightResult,
    ) -> Result<Reply, Error> {
        match landed {
            FlightResult::Made(entry, kept) => {
                let status = CacheStatus::Made { why, kept: *kept };
                self.caching.figures.count(status);
                terms.add_cache_headers(&at.call, status, entry.age());
                Ok(terms.reply(entry.body.clone()))
            }
            FlightResult::Found(entry) => {
                self.give(at, terms, CacheStatus::Hit, entry.clone()).await
            }
            FlightResult::Failed(entry, status) => {
                let status = CacheStatus::Failed { status: *status, collapsed: false };
                self.give(at, terms, status, entry.clone()).await
            }
        }
    }

    /// Serves a reply that was made for another call, if this one can pay for it.
    async fn give(
        &self,
        at: &Recipient,
        terms: &CachePolicy,
        status: CacheStatus,
        entry: CachedReply,
    ) -> Result<Reply, Error> {
        if let Some(billing) = &self.billing {
            billing.hold_for_hit(&at.call, &at.draft).await?;
        }
        let age = entry.age();
        Ok(self.caching.serve_cached(&at.call, terms, status, entry, age))
    }

    pub(super) fn alone(
        &self,
        at: &Call,
        why: ForwardReason,
        alone: Unshared,
    ) -> Result<Reply, Error> {
        self.caching.figures.count(CacheStatus::Made { why, kept: false });
        tell_of_nothing(at, why);
        alone
    }
}

/// Returns the latest time at which the stale reply can still be served: a twentieth of the call's
/// time before its deadline.
fn stale_deadline(call: &Call) -> Instant {
    let reserve: Duration = (call.deadline() - call.started()) / 20;
    Instant::from_std(call.deadline() - reserve)
}
