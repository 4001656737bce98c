//! Unit tests of the layer: one execution for each key, and what holds the key until then.

use futures_util::FutureExt;
use tower::{Layer, Service, ServiceExt};

use super::*;
use crate::{
    base::spec::MethodSpec,
    pipeline::{
        request_log::RecordLayer,
        tests::{
            mock_service::{
                self, MockHandle, MockRequest, MockService, assert_passes_through, assert_readiness,
            },
            test_call::{TestCall, TestMethod, spec},
            test_store::TestStore,
        },
    },
};

const SOLD_OUT: Code = Code::new("sold-out", 409, "Sold out");

/// The layer below the record of the call, which ends the claim.
fn recorded(
    store: &TestStore,
    lease: Duration,
) -> (
    impl Service<Invocation, Response = Reply, Error = Error, Future: Send> + Clone + use<>,
    MockHandle,
) {
    let settings =
        crate::pipeline::persistence::IdempotencySettings { lease, ..Default::default() };
    let persistence = store.persistence_with(settings, Default::default());
    let (inner, handle) = mock_service::pair();
    let inner: Idempotent<MockService> =
        IdempotentLayer::new(Some(Arc::clone(&persistence))).layer(inner);
    (RecordLayer(Some(persistence), None).layer(inner), handle)
}

const LEASE: Duration = Duration::from_secs(60);

fn keyed_call(key: &str) -> TestCall {
    TestMethod::with_effect(Effect::Once)
        .call()
        .validated()
        .with_account("ada")
        .with_header("idempotency-key", key)
}

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let store = TestStore::open().await;
    let layer = IdempotentLayer::new(Some(store.persistence()));
    let without_key = TestMethod::with_effect(Effect::Once).call();
    assert_readiness(IdempotentLayer::new(None), || keyed_call("a").invocation()).await;
    assert_readiness(layer.clone(), || without_key.invocation()).await;
    // Each call has a key of its own.
    let mut number = 0;
    let mut next = || {
        number += 1;
        keyed_call(&format!("key {number}")).invocation()
    };
    assert_readiness(layer.clone(), &mut next).await;
    assert_passes_through(layer, &mut next).await;
}

#[tokio::test]
async fn repetition_is_a_replay_of_the_stored_answer() {
    let store = TestStore::open().await;
    let (service, mut handle) = recorded(&store, LEASE);
    for (key, outcome) in
        [("reply", Ok(Reply::Json("1".into()))), ("error", Err(Error::new(SOLD_OUT, "none left")))]
    {
        let call = keyed_call(key);
        let first = tokio::spawn(service.clone().oneshot(call.invocation()));
        handle.answer(outcome).await;
        let first = first.await.unwrap();
        let again = call.invocation();
        let again_call = again.request.call.clone();
        let second = service.clone().oneshot(again).await;
        assert_eq!(format!("{first:?}"), format!("{second:?}"));
        assert!(again_call.is_replayed());
        assert_eq!(again_call.take_response_headers().unwrap()[&REPLAYED], "true");
        assert!(handle.try_request().is_none(), "executed twice");
    }
}

#[tokio::test]
async fn key_in_progress_is_a_conflict_and_another_request_a_mismatch() {
    let store = TestStore::open().await;
    let (service, mut handle) = recorded(&store, LEASE);
    let first = tokio::spawn(service.clone().oneshot(keyed_call("k").invocation()));
    let request = handle.next_request().await;
    let conflict = service.clone().oneshot(keyed_call("k").invocation()).await.unwrap_err();
    assert_eq!(conflict.code(), Code::IDEMPOTENCY_CONFLICT);
    assert!(conflict.retry_after().is_some());
    let other = keyed_call("k").with_input(r#"{"name":"another book"}"#).invocation();
    let mismatch = service.clone().oneshot(other).await.unwrap_err();
    assert_eq!(mismatch.code(), Code::IDEMPOTENCY_MISMATCH);
    // The refusals have not ended the claim of the first.
    request.reply.send(Ok(Reply::Empty));
    first.await.unwrap().unwrap();
    let again = keyed_call("k").invocation();
    let call = again.request.call.clone();
    service.clone().oneshot(again).await.unwrap();
    assert!(call.is_replayed());
}

#[tokio::test]
async fn definite_failure_frees_the_key() {
    let store = TestStore::open().await;
    let (service, mut handle) = recorded(&store, LEASE);
    for _ in 0..2 {
        let future = tokio::spawn(service.clone().oneshot(keyed_call("k").invocation()));
        handle.answer(Err(Error::new(Code::QUOTA_EXCEEDED, "too many"))).await;
        assert_eq!(future.await.unwrap().unwrap_err().code(), Code::QUOTA_EXCEEDED);
    }
}

/// The claim is drafted before it is sent, so that a call that is cut off frees it.
#[tokio::test]
async fn call_that_is_dropped_frees_the_key() {
    let store = TestStore::open().await;
    let (inner, mut handle) = mock_service::pair();
    let mut layer = IdempotentLayer::new(Some(store.persistence())).layer(inner);
    let mut invocation = keyed_call("k").invocation();
    let draft =
        crate::pipeline::settlement_draft::SettlementDraft::of("c".into(), store.persistence());
    invocation.draft = draft.clone();
    let mut future = layer.ready().await.unwrap().call(invocation);
    assert!((&mut future).now_or_never().is_none());
    drop(future);
    let draft = draft.take();
    assert!(draft.is_open() && draft.take_claim.is_some(), "nothing would undo the claim");
    assert!(handle.try_request().is_none());
}

#[tokio::test]
async fn claim_is_renewed_while_the_call_runs() {
    let store = TestStore::open().await;
    let (service, mut handle) = recorded(&store, Duration::from_millis(300));
    let first = tokio::spawn(service.clone().oneshot(keyed_call("k").invocation()));
    let MockRequest { reply, .. } = handle.next_request().await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    let conflict = service.clone().oneshot(keyed_call("k").invocation()).await.unwrap_err();
    assert_eq!(conflict.code(), Code::IDEMPOTENCY_CONFLICT, "the lease has expired");
    reply.send(Ok(Reply::Empty));
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn keys_are_honoured_where_the_method_and_the_origin_allow() {
    let store = TestStore::open().await;
    let method = |effect, idempotency| TestMethod::new(MethodSpec { idempotency, ..spec(effect) });
    for (effect, mode, origin, is_honoured) in [
        (Effect::Once, IdempotencyMode::Optional, Origin::Http, true),
        (Effect::Keyed, IdempotencyMode::Optional, Origin::Bus, true),
        (Effect::Idempotent, IdempotencyMode::Required, Origin::Http, true),
        (Effect::Read, IdempotencyMode::Optional, Origin::Http, false),
        (Effect::Once, IdempotencyMode::None, Origin::Http, false),
        (Effect::Once, IdempotencyMode::Optional, Origin::WebSocket, false),
        (Effect::Once, IdempotencyMode::Optional, Origin::Webhook, false),
    ] {
        let call = method(effect, mode).call().with_origin(origin).validated();
        let (inner, mut handle) = mock_service::pair();
        let service = IdempotentLayer::new(Some(store.persistence())).layer(inner);
        let malformed = call.clone().with_header("idempotency-key", "").invocation();
        let future = tokio::spawn(service.clone().oneshot(malformed));
        if is_honoured {
            let refused = future.await.unwrap().unwrap_err();
            assert_eq!(refused.code(), Code::INVALID_REQUEST, "{effect:?} {mode:?} {origin:?}");
        } else {
            handle.answer(Ok(Reply::Empty)).await;
        }
        let future = tokio::spawn(service.oneshot(call.invocation()));
        if mode == IdempotencyMode::Required {
            assert_eq!(future.await.unwrap().unwrap_err().code(), Code::INVALID_REQUEST);
        } else {
            handle.answer(Ok(Reply::Empty)).await;
        }
    }
}
