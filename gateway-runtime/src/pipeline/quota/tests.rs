//! Unit tests of the layer: tokens and slots are taken before a call, and given back after it.

use tower::{Layer, ServiceExt};

use super::*;
use crate::{
    base::spec::Effect,
    pipeline::tests::{
        mock_service::{
            self, MockHandle, MockRequest, MockService, assert_passes_through, assert_readiness,
        },
        test_call::{TestCall, TestMethod},
    },
    quota::{LimitSettings, Rate},
};

fn limited(total: LimitSettings, only_fulfilled: bool) -> (EnforceQuotaLayer, TestCall) {
    let method = TestMethod::with_effect(Effect::Once);
    let settings = QuotaSettings { total, only_fulfilled, ..QuotaSettings::default() };
    let enforcer = QuotaEnforcer::new(&settings, &method.registry, None);
    (EnforceQuotaLayer::new(Some(enforcer)), method.call().with_account("ada"))
}

fn rate(calls: u64) -> LimitSettings {
    LimitSettings { rate: Some(Rate { calls, per: Duration::from_secs(3600) }), concurrency: None }
}

fn concurrency(calls: u64) -> LimitSettings {
    LimitSettings { rate: None, concurrency: Some(calls) }
}

fn service(layer: &EnforceQuotaLayer) -> (EnforceQuota<MockService>, MockHandle) {
    let (inner, handle) = mock_service::pair();
    (layer.layer(inner), handle)
}

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    for total in [LimitSettings::default(), rate(100), concurrency(100)] {
        for only_fulfilled in [false, true] {
            let (layer, call) = limited(total, only_fulfilled);
            assert_readiness(layer.clone(), || call.invocation()).await;
            assert_passes_through(layer, || call.invocation()).await;
        }
    }
    let (_, call) = limited(rate(1), false);
    assert_readiness(EnforceQuotaLayer::new(None), || call.invocation()).await;
}

/// Runs if `TEST_REDIS_URL` names a server, as `./test` does.
#[cfg(feature = "redis")]
#[tokio::test]
async fn readiness_passes_through_when_redis_is_asked() {
    let Some(redis) = crate::redis::tests::own_redis().await else { return };
    let method = TestMethod::with_effect(Effect::Once);
    let settings = QuotaSettings { total: rate(100), ..QuotaSettings::default() };
    let layer =
        EnforceQuotaLayer::new(Some(QuotaEnforcer::new(&settings, &method.registry, Some(redis))));
    let call = method.call().with_account("ada");
    assert_readiness(layer.clone(), || call.invocation()).await;
    assert_passes_through(layer, || call.invocation()).await;
}

#[tokio::test]
async fn call_over_its_rate_is_refused_before_the_method() {
    let (layer, call) = limited(rate(1), false);
    let (service, mut handle) = service(&layer);
    let first = tokio::spawn(service.clone().oneshot(call.invocation()));
    let admitted = handle.answer(Ok(Reply::Empty)).await.request.call;
    first.await.unwrap().unwrap();
    assert!(admitted.take_response_headers().unwrap().contains_key(&LIMIT));

    let second = call.invocation();
    let refused_call = second.request.call.clone();
    let refused = service.clone().oneshot(second).await.unwrap_err();
    assert_eq!(refused.code(), Code::QUOTA_EXCEEDED);
    assert!(refused.retry_after().is_some_and(|delay| delay > Duration::from_secs(3000)));
    assert!(refused_call.take_response_headers().unwrap().contains_key(&POLICY));
    assert!(handle.try_request().is_none(), "the method was called");

    let other = tokio::spawn(service.oneshot(call.with_account("bob").invocation()));
    handle.answer(Ok(Reply::Empty)).await;
    other.await.unwrap().unwrap();
}

/// The ends of a call that has one slot or one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Fulfilled,
    Failed,
    Dropped,
    Panicked,
}

async fn end(
    service: EnforceQuota<MockService>,
    handle: &mut MockHandle,
    call: &TestCall,
    end: End,
) {
    let future = tokio::spawn(service.oneshot(call.invocation()));
    let MockRequest { reply, .. } = handle.next_request().await;
    match end {
        End::Fulfilled => reply.send(Ok(Reply::Empty)),
        End::Failed => reply.send(Err(Error::new(Code::NO_PROVIDER, "none"))),
        End::Dropped => future.abort(),
        End::Panicked => reply.panic(),
    }
    let _ = future.await;
}

#[tokio::test]
async fn slot_is_freed_however_the_call_ends() {
    for how in [End::Fulfilled, End::Failed, End::Dropped, End::Panicked] {
        let (layer, call) = limited(concurrency(1), false);
        let (service, mut handle) = service(&layer);
        let running = tokio::spawn(service.clone().oneshot(call.invocation()));
        let request = handle.next_request().await;
        let refused = service.clone().oneshot(call.invocation()).await.unwrap_err();
        assert_eq!(refused.code(), Code::QUOTA_EXCEEDED, "two calls run");
        request.reply.send(Ok(Reply::Empty));
        running.await.unwrap().unwrap();

        end(service.clone(), &mut handle, &call, how).await;
        let next = tokio::spawn(service.oneshot(call.invocation()));
        handle.answer(Ok(Reply::Empty)).await;
        assert!(next.await.unwrap().is_ok(), "no slot after {how:?}");
    }
}

/// SEMANTICS §6: "`only_fulfilled` gives the token back when the request was not fulfilled"; a
/// request whose client has disconnected may have been.
#[tokio::test]
async fn token_is_given_back_when_only_fulfilled_calls_count() {
    for (how, only_fulfilled, is_given_back) in [
        (End::Fulfilled, true, false),
        (End::Failed, true, true),
        (End::Panicked, true, true),
        (End::Dropped, true, false),
        (End::Failed, false, false),
    ] {
        let (layer, call) = limited(rate(1), only_fulfilled);
        let (service, mut handle) = service(&layer);
        end(service.clone(), &mut handle, &call, how).await;
        let next = tokio::spawn(service.oneshot(call.invocation()));
        if is_given_back {
            handle.answer(Ok(Reply::Empty)).await;
        }
        assert_eq!(next.await.unwrap().is_ok(), is_given_back, "{how:?} {only_fulfilled}");
    }
}

#[tokio::test]
async fn stream_holds_its_slot_until_it_has_ended() {
    let (layer, call) = limited(concurrency(1), false);
    let (service, mut handle) = service(&layer);
    let future = tokio::spawn(service.clone().oneshot(call.invocation()));
    handle.answer(Ok(Reply::Items(Box::pin(futures_util::stream::pending())))).await;
    let reply = future.await.unwrap().unwrap();
    let refused = service.clone().oneshot(call.invocation()).await.unwrap_err();
    assert_eq!(refused.code(), Code::QUOTA_EXCEEDED);
    drop(reply);
    let next = tokio::spawn(service.oneshot(call.invocation()));
    handle.answer(Ok(Reply::Empty)).await;
    next.await.unwrap().unwrap();
}
