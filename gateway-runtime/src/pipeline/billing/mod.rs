//! Billing: the highest price of a call is held before it, in one step with the balance check. The
//! settlement of the call captures or releases the hold (SEMANTICS §7).

pub(super) mod placed_hold;
pub(super) mod price_table;
#[cfg(test)]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, Either};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    base::{
        call::{Call, Origin},
        duration::{self, DurationText, unix_micros},
        error::{Code, Error},
        money::Money,
        reply::Reply,
        spec::{Effect, MethodSpec},
    },
    control::PriceList,
    pipeline::{
        billing::{
            placed_hold::PlacedHold,
            price_table::{Price, PriceTable},
        },
        call_service::CallService,
        invocation::Invocation,
        optional_layer::{Optional, OptionalLayer, OptionalPart},
        request_log::record,
        settlement_draft::SettlementDraft,
        take_ready::take_ready,
    },
    service::registry::Registry,
    store::{Hold, HoldOutcome, StoreWriter},
};

/// `[billing]`: whether calls are charged.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BillingSettings {
    /// Whether prices are charged, if there is a store and callers are known.
    pub enabled: bool,
    /// The time after a call's deadline for which its hold is left alone, since its settlement may
    /// still be on its way into the store. After it the hold counts as abandoned, and is released
    /// if the call could only read.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub grace: Duration,
}

impl Default for BillingSettings {
    fn default() -> Self {
        Self { enabled: true, grace: Duration::from_secs(60) }
    }
}

/// The billing of calls: the store's writer and the prices in effect.
#[derive(Debug)]
pub struct Billing {
    writer: StoreWriter,
    grace: Duration,
    registry: Arc<Registry>,
    tariffs: ArcSwap<PriceTable>,
}

impl Billing {
    /// Creates a billing with the prices of attributes, until [`apply`](Self::apply) adds price
    /// lists.
    #[must_use]
    pub fn new(writer: StoreWriter, settings: &BillingSettings, registry: Arc<Registry>) -> Self {
        let tariffs = ArcSwap::from_pointee(PriceTable::new(&registry, []));
        Self { writer, grace: settings.grace, registry, tariffs }
    }

    /// Replaces the price lists; `lists` are in their order in time.
    pub fn apply<'l>(&self, lists: impl IntoIterator<Item = &'l PriceList>) {
        self.tariffs.store(Arc::new(PriceTable::new(&self.registry, lists)));
    }

    /// Returns whether calls of a method can cost anything.
    pub(super) fn has_price(&self, method: &'static MethodSpec) -> bool {
        self.tariffs.load().has(method)
    }

    /// Returns the price of a call; `None` for the gateway's own calls.
    fn price(&self, call: &Call) -> Option<Price> {
        if call.origin() == Origin::Cache {
            return None;
        }
        self.tariffs.load().price(call.method(), call.plan(), unix_micros(SystemTime::now()))
    }

    /// Returns whether a cache hit costs the call something.
    pub(super) fn charges_hit(&self, call: &Call) -> bool {
        self.price(call).is_some()
    }

    /// Places a hold for a cache hit, unless the call has placed one to have the reply made.
    pub(super) async fn hold_for_hit(
        &self,
        call: &Call,
        draft: &SettlementDraft,
    ) -> Result<(), Error> {
        match self.price(call) {
            None => Ok(()),
            Some(price) => match draft.is_held() {
                None => self.hold(call, draft, price, price.cached()).await,
                Some(true) => Ok(()),
                // The hold to have it made was cut off, and is released with the call.
                Some(false) => Err(unavailable()),
            },
        }
    }

    /// Places a hold for a call.
    async fn hold(
        &self,
        call: &Call,
        draft: &SettlementDraft,
        price: Price,
        amount: Money,
    ) -> Result<(), Error> {
        let (Some(account), Some(name)) = (call.caller().account(), draft.name()) else {
            return Err(Error::new(
                Code::UNAUTHENTICATED,
                "authentication required, as this method has a price; send a bearer token or an \
                 API key",
            ));
        };
        if call.is_plan_unknown() {
            return Err(Error::new(
                Code::OVERLOADED,
                "the price for this account is unavailable; retry later",
            ));
        }
        let now = SystemTime::now();
        let left = call.deadline().saturating_duration_since(Instant::now());
        let hold = Hold {
            call: name,
            account: account.into(),
            amount,
            at: unix_micros(now),
            until: unix_micros(now + left + self.grace),
            may_have_effect: matches!(call.method().effect, Effect::Once | Effect::Keyed),
            attribution: Arc::new(record::attribution(call)),
        };
        let witness = draft.witness().filter(|_| hold.may_have_effect);
        draft.holds(PlacedHold { hold: hold.clone(), price });
        match self.writer.hold(hold).await {
            Ok(HoldOutcome::Held) => {
                draft.has_held(true);
                if let Some(witness) = witness {
                    call.set_witness(witness);
                }
                Ok(())
            }
            Ok(HoldOutcome::Insufficient { available }) => {
                draft.has_held(false);
                Err(insufficient(available, amount))
            }
            Err(error) => {
                if !error.is_ambiguous() {
                    draft.has_held(false);
                }
                Err(unavailable().with_log_message(error))
            }
        }
    }
}

fn unavailable() -> Error {
    Error::new(
        Code::OVERLOADED,
        "the hold cannot be placed now and the call was not executed; retry later",
    )
}

fn insufficient(available: i64, amount: Money) -> Error {
    let available = Money::from_nanos(available, amount.currency());
    let detail = format!(
        "insufficient funds: the call costs up to {amount}, available \
                          {available}"
    );
    Error::new(Code::INSUFFICIENT_FUNDS, detail)
}

/// The layer that adds [`PlaceHold`].
pub(super) type PlaceHoldLayer = OptionalLayer<Arc<Billing>>;

/// The service that places a hold before the call goes on.
pub(super) type PlaceHold<S> = Optional<S, Arc<Billing>>;

impl OptionalPart for Arc<Billing> {
    type Future<S: CallService> = BoxFuture<'static, Result<Reply, Error>>;

    fn call<S: CallService>(
        &self,
        inner: &mut S,
        invocation: Invocation,
    ) -> Either<S::Future, Self::Future<S>> {
        let Some(price) = self.price(&invocation.request.call) else {
            return Either::Left(inner.call(invocation));
        };
        let billing = Arc::clone(self);
        let mut inner = take_ready(inner);
        Either::Right(Box::pin(async move {
            let Invocation { request, draft, .. } = &invocation;
            billing.hold(&request.call, draft, price, price.highest()).await?;
            inner.call(invocation).await
        }))
    }
}
