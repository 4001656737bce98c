//! The revalidation of a stale reply in the background (RFC 5861 §3), by a call of the gateway's
//! own.

use std::sync::Arc;

use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::{
    base::{call::CallRequest, error::Error, reply::Reply},
    cache::FlightHandle,
    pipeline::{
        access_log::TraceLayer,
        cache::{
            lookup::{CacheLookup, FlightResult, Recipient},
            policy::ForwardReason,
        },
        call_service::CallService,
        catch_panic::UnwindLayer,
        deadline::DeadlineLayer,
        invocation::Invocation,
        request_log::RecordLayer,
        settlement_draft::SettlementDraft,
    },
};

impl CacheLookup {
    /// Revalidates the reply in a task, by a call of the gateway's own, unless a flight is under
    /// way.
    pub(super) fn revalidate<S: CallService>(self, inner: S, invocation: Invocation) {
        let Some(ticket) = self.caching.flights.begin(self.key.clone()) else { return };
        let Invocation { method, request, .. } = invocation;
        let request = CallRequest { call: request.call.for_revalidation(), input: request.input };
        let (search, persistence) = (self.clone(), self.persistence);
        let renewal = Arc::new(Revalidation { search, ticket, inner });
        // The layers of any call: it has a log line, a row and a deadline.
        let stack = ServiceBuilder::new()
            .layer(TraceLayer)
            .layer(RecordLayer(persistence, None))
            .layer(UnwindLayer)
            .layer(DeadlineLayer)
            .service(service_fn(move |invocation| Arc::clone(&renewal).carry_out(invocation)));
        tokio::spawn(stack.oneshot(Invocation {
            method,
            request,
            draft: SettlementDraft::default(),
            authorized: None,
        }));
    }
}

/// A revalidation in the background.
struct Revalidation<S> {
    search: CacheLookup,
    ticket: FlightHandle<FlightResult>,
    inner: S,
}

impl<S: CallService> Revalidation<S> {
    async fn carry_out(self: Arc<Self>, invocation: Invocation) -> Result<Reply, Error> {
        let Self { search, ticket, inner } = &*self;
        let caching = &search.caching;
        let at = Recipient::of(&invocation);
        let Some(terms) = caching.terms(&invocation.method) else {
            return inner.clone().oneshot(invocation).await;
        };
        match ticket.join_or_lead(|| search.make(terms, inner.clone(), invocation, None)).await {
            Ok(landed) => search.made(terms, &at, ForwardReason::Stale, landed).await,
            Err(alone) => search.alone(&at.call, ForwardReason::Stale, alone),
        }
    }
}
