//! Unit tests of the layer: rows, completion after the caller's disconnect, and the table of
//! endings.

mod endings;

use futures_util::StreamExt;
use tower::ServiceExt;

use super::*;
use crate::{
    base::spec::Effect,
    pipeline::{
        persistence::{IdempotencySettings, RequestLogSettings},
        tests::{
            mock_service::{self, MockRequest, assert_passes_through, assert_readiness},
            test_call::TestMethod,
            test_store::TestStore,
        },
    },
};

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let store = TestStore::open().await;
    let call = TestMethod::with_effect(Effect::Once).call();
    let silent = store
        .persistence_with(IdempotencySettings::default(), RequestLogSettings { enabled: false });
    for persistence in [None, Some(silent), Some(store.persistence())] {
        let layer = RecordLayer(persistence, None);
        assert_readiness(layer.clone(), || call.invocation()).await;
        assert_passes_through(layer, || call.invocation()).await;
    }
}

#[tokio::test]
async fn call_has_a_row_when_it_has_ended() {
    let store = TestStore::open().await;
    let layer = RecordLayer(Some(store.persistence()), None);
    let call = TestMethod::with_effect(Effect::Read).call().with_account("ada");
    for (outcome, status, code) in [
        (Ok(Reply::Json("{}".into())), 200, None),
        (Ok(Reply::Empty), 204, None),
        (Err(Error::new(Code::FORBIDDEN, "no")), 403, Some("forbidden")),
    ] {
        let (inner, mut handle) = mock_service::pair();
        let future = tokio::spawn(layer.layer(inner).oneshot(call.invocation()));
        let invocation = handle.answer(outcome).await;
        assert!(invocation.draft.name().is_some(), "layers cannot add to the settlement");
        let is_fulfilled = future.await.unwrap().is_ok();
        let row = store.row(invocation.request.call.id().as_str()).await;
        assert_eq!((row.status, row.code.as_deref()), (status, code));
        assert_eq!((row.fulfilled, row.price), (is_fulfilled, None));
        assert_eq!(row.account.as_deref(), Some("ada"));
    }
}

#[tokio::test]
async fn call_that_holds_nothing_is_cut_off_by_its_caller() {
    let store = TestStore::open().await;
    let layer = RecordLayer(Some(store.persistence()), None);
    let (inner, mut handle) = mock_service::pair();
    let call = TestMethod::with_effect(Effect::Once).call();
    let future = tokio::spawn(layer.layer(inner).oneshot(call.invocation()));
    let MockRequest { invocation, mut reply } = handle.next_request().await;
    future.abort();
    reply.dropped().await;
    let row = store.row(invocation.request.call.id().as_str()).await;
    assert_eq!((row.status, row.code.as_deref()), (499, Some("cancelled")));
}

#[tokio::test]
async fn call_that_may_claim_a_key_is_completed_after_its_caller_disconnects() {
    let store = TestStore::open().await;
    let layer = RecordLayer(Some(store.persistence()), None);
    let (inner, mut handle) = mock_service::pair();
    let call = TestMethod::with_effect(Effect::Once).call().with_header("idempotency-key", "k");
    let future = tokio::spawn(layer.layer(inner).oneshot(call.invocation()));
    let MockRequest { invocation, reply } = handle.next_request().await;
    future.abort();
    assert!(future.await.unwrap_err().is_cancelled());
    assert!(!reply.is_dropped(), "the call was cut off");
    reply.send(Ok(Reply::Empty));
    let row = store.row(invocation.request.call.id().as_str()).await;
    assert_eq!((row.status, row.fulfilled), (204, true));
}

/// A stream without a charge has its row when it has ended, whichever way.
#[tokio::test]
async fn row_of_a_stream_is_written_at_its_end() {
    let store = TestStore::open().await;
    let layer = RecordLayer(Some(store.persistence()), None);
    let call = TestMethod::with_effect(Effect::Read).call();
    type Item = Result<bytes::Bytes, Error>;
    let items: [fn() -> Vec<Item>; 2] = [
        || vec![Ok("1".into()), Ok("2".into())],
        || vec![Ok("1".into()), Err(Error::new(Code::PROVIDER_FAILED, "cut"))],
    ];
    for (items, reads, status, code) in [
        (items[0], 3, 200, None),
        (items[1], 2, 200, Some("provider-failed")),
        (items[0], 1, 499, Some("cancelled")),
    ] {
        let (inner, mut handle) = mock_service::pair();
        let future = tokio::spawn(layer.layer(inner).oneshot(call.invocation()));
        let items = Reply::Items(Box::pin(stream::iter(items())));
        let id = handle.answer(Ok(items)).await.request.call.id().as_str().to_owned();
        let Ok(Reply::Items(mut chunks)) = future.await.unwrap() else { panic!("no stream") };
        for _ in 0..reads {
            assert!(
                store.store.recent_requests(9).await.unwrap().iter().all(|r| r.request_id != id)
            );
            chunks.next().await;
        }
        drop(chunks);
        let row = store.row(&id).await;
        assert_eq!((row.status, row.code.as_deref()), (status, code));
        assert_eq!(row.fulfilled, code.is_none());
    }
}
