//! Unit tests of the layer: the highest price is held before the call goes on.

use futures_util::FutureExt;
use tower::{Layer, Service, ServiceExt};

use super::*;
use crate::{
    base::spec::AuthMode,
    pipeline::tests::{
        mock_service::{self, MockHandle, MockService, assert_passes_through, assert_readiness},
        test_call::{TestCall, TestMethod, spec},
        test_store::{TestBalance, TestStore, usd},
    },
};

const PRICE: i64 = 1_000_000;

struct Priced {
    store: TestStore,
    billing: Arc<Billing>,
    method: TestMethod,
}

impl Priced {
    async fn open(price: Option<i64>) -> Self {
        let store = TestStore::open().await;
        let method = TestMethod::new(MethodSpec {
            price: price.map(usd),
            auth: Some(AuthMode::Optional),
            ..spec(Effect::Once)
        });
        let registry = Arc::clone(&method.registry);
        let settings = BillingSettings::default();
        let billing = Arc::new(Billing::new(store.writer.clone(), &settings, registry));
        store.fund("ada", 100 * PRICE).await;
        Self { store, billing, method }
    }

    fn layer(&self) -> PlaceHoldLayer {
        PlaceHoldLayer::new(Some(Arc::clone(&self.billing)))
    }

    fn service(&self) -> (PlaceHold<MockService>, MockHandle) {
        let (inner, handle) = mock_service::pair();
        (self.layer().layer(inner), handle)
    }

    fn call(&self) -> TestCall {
        self.method.call().with_account("ada")
    }

    /// Creates an invocation that is recorded, since only recorded calls can be charged.
    fn recorded(&self, call: &TestCall) -> Invocation {
        let mut invocation = call.invocation();
        let id = invocation.request.call.id().as_str().into();
        invocation.draft = SettlementDraft::of(id, self.store.persistence());
        invocation
    }
}

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let (free, priced) = (Priced::open(None).await, Priced::open(Some(PRICE)).await);
    assert_readiness(PlaceHoldLayer::new(None), || priced.call().invocation()).await;
    assert_readiness(free.layer(), || free.call().invocation()).await;
    assert_readiness(priced.layer(), || priced.recorded(&priced.call())).await;
    assert_passes_through(priced.layer(), || priced.recorded(&priced.call())).await;
}

#[tokio::test]
async fn price_is_held_before_the_call_goes_on() {
    let priced = Priced::open(Some(PRICE)).await;
    let (service, mut handle) = priced.service();
    let future = tokio::spawn(service.oneshot(priced.recorded(&priced.call())));
    let request = handle.next_request().await;
    let held = TestBalance { available: 99 * PRICE, held: PRICE };
    assert_eq!(priced.store.balance("ada").await, held);
    assert_eq!(request.invocation.draft.is_held(), Some(true));
    assert!(request.invocation.request.call.witness().is_some(), "no provider would be named");
    request.reply.send(Ok(Reply::Empty));
    future.await.unwrap().unwrap();
    // The settlement is the request log's.
    assert_eq!(priced.store.balance("ada").await, held);
}

#[tokio::test]
async fn call_that_cannot_pay_does_not_go_on() {
    let priced = Priced::open(Some(200 * PRICE)).await;
    let (service, mut handle) = priced.service();
    let invocation = priced.recorded(&priced.call());
    let draft = invocation.draft.clone();
    let refused = service.clone().oneshot(invocation).await.unwrap_err();
    assert_eq!(refused.code(), Code::INSUFFICIENT_FUNDS);
    assert_eq!(draft.is_held(), None, "there is nothing to release");

    let stranger = priced.recorded(&priced.method.call());
    let refused = service.clone().oneshot(stranger).await.unwrap_err();
    assert_eq!(refused.code(), Code::UNAUTHENTICATED);

    let planless = priced.recorded(&priced.call());
    planless.request.call.mark_plan_unknown();
    let refused = service.oneshot(planless).await.unwrap_err();
    assert_eq!(refused.code(), Code::OVERLOADED);
    assert!(handle.try_request().is_none(), "a call went on");
    let untouched = TestBalance { available: 100 * PRICE, held: 0 };
    assert_eq!(priced.store.balance("ada").await, untouched);
}

/// The hold is drafted before it is sent, so that a call that is cut off releases it.
#[tokio::test]
async fn call_that_is_dropped_leaves_its_hold_in_the_draft() {
    let priced = Priced::open(Some(PRICE)).await;
    let (mut service, mut handle) = priced.service();
    let invocation = priced.recorded(&priced.call());
    let draft = invocation.draft.clone();
    let mut future = service.ready().await.unwrap().call(invocation);
    assert!((&mut future).now_or_never().is_none());
    drop(future);
    assert_eq!(draft.is_held(), Some(false), "nothing would release the hold");
    assert!(handle.try_request().is_none());
}

#[tokio::test]
async fn gateway_pays_for_no_call_of_its_own() {
    let priced = Priced::open(Some(PRICE)).await;
    let (service, mut handle) = priced.service();
    let future =
        tokio::spawn(service.oneshot(priced.call().with_origin(Origin::Cache).invocation()));
    assert_eq!(handle.answer(Ok(Reply::Empty)).await.draft.is_held(), None);
    future.await.unwrap().unwrap();
}
