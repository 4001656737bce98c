//! Unit tests of the layer: the plan is there before the call goes on.

use tower::{Layer, ServiceExt};

use super::*;
use crate::{
    base::spec::Effect,
    pipeline::tests::{
        mock_service::{self, assert_passes_through, assert_readiness},
        test_call::TestMethod,
        test_store::TestStore,
    },
};

async fn layer(store: &TestStore) -> AttachPlanLayer {
    store.open_account("ada", "gold").await;
    let lookup = PlanLookup::new(PlanCache::new(store.store.clone()));
    lookup.apply(true);
    AttachPlanLayer::new(Some(Arc::new(lookup)))
}

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let store = TestStore::open().await;
    let anonymous = TestMethod::with_effect(Effect::Once).call();
    let call = anonymous.clone().with_account("ada");
    assert_readiness(AttachPlanLayer::new(None), || call.invocation()).await;
    assert_readiness(layer(&store).await, || anonymous.invocation()).await;
    // The first of two calls looks the plan up, the second finds it in the cache.
    assert_readiness(layer(&store).await, || call.invocation()).await;
    assert_passes_through(layer(&store).await, || call.invocation()).await;
}

#[tokio::test]
async fn plan_is_set_before_the_call_goes_on() {
    let store = TestStore::open().await;
    let layer = layer(&store).await;
    let method = TestMethod::with_effect(Effect::Once);
    for (account, plan) in [("ada", Some("gold")), ("ada", Some("gold")), ("nobody", None)] {
        let (inner, mut handle) = mock_service::pair();
        let invocation = method.call().with_account(account).invocation();
        let future = tokio::spawn(layer.layer(inner).oneshot(invocation));
        let call = handle.answer(Ok(Reply::Empty)).await.request.call;
        assert_eq!(call.plan(), plan, "{account}");
        assert!(!call.is_plan_unknown());
        future.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn lookup_that_is_not_needed_is_off() {
    let store = TestStore::open().await;
    let layer = layer(&store).await;
    layer.0.as_ref().unwrap().apply(false);
    let (inner, mut handle) = mock_service::pair();
    let call = TestMethod::with_effect(Effect::Once).call().with_account("ada");
    let future = tokio::spawn(layer.layer(inner).oneshot(call.invocation()));
    assert_eq!(handle.answer(Ok(Reply::Empty)).await.request.call.plan(), None);
    future.await.unwrap().unwrap();
}
