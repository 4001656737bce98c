//! Unit tests of the layer: a reply is served again while it is fresh, and made once for all.

use tower::ServiceExt;

use super::*;
use crate::{
    base::{
        error::Code,
        spec::{CacheScope, CacheSpec, Effect, MethodSpec},
    },
    cache::MemoryCache,
    pipeline::tests::{
        mock_service::{
            self, MockHandle, MockRequest, MockService, assert_passes_through, assert_readiness,
        },
        test_call::{TestCall, TestMethod, spec},
    },
};

const TTL: Duration = Duration::from_secs(60);

fn cached() -> (CachedLayer, TestCall) {
    let cache = CacheSpec { ttl: TTL, scope: CacheScope::Account };
    let method = TestMethod::new(MethodSpec { cache: Some(cache), ..spec(Effect::Read) });
    let backend = Box::new(MemoryCache::new(1 << 20).unwrap());
    let caching = ReplyCache::new(&CacheSettings::default(), &method.registry, backend);
    assert!(caching.is_some());
    (CachedLayer { caching, persistence: None, billing: None }, method.call().validated())
}

fn service(layer: &CachedLayer) -> (Cached<MockService>, MockHandle) {
    let (inner, handle) = mock_service::pair();
    (layer.layer(inner), handle)
}

fn json(text: &'static str) -> Result<Reply, Error> {
    Ok(Reply::Json(text.into()))
}

fn body(outcome: Result<Reply, Error>) -> String {
    let Ok(Reply::Json(body)) = outcome else { panic!("{outcome:?}") };
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let (layer, call) = cached();
    let off = CachedLayer { caching: None, ..layer.clone() };
    let uncached = TestMethod::with_effect(Effect::Read).call().validated();
    let bypassing = call.clone().with_header("cache-control", "no-store");
    let reloading = call.clone().with_header("cache-control", "no-cache");
    assert_readiness(off, || call.invocation()).await;
    assert_readiness(layer.clone(), || uncached.invocation()).await;
    assert_readiness(layer.clone(), || bypassing.invocation()).await;
    // Each call misses.
    let mut number = 0;
    let mut miss = || {
        number += 1;
        call.clone().with_account(&format!("account {number}")).invocation()
    };
    assert_readiness(layer.clone(), &mut miss).await;
    assert_readiness(layer.clone(), || reloading.invocation()).await;
    assert_passes_through(layer.clone(), &mut miss).await;
    assert_passes_through(layer, || reloading.invocation()).await;
}

#[tokio::test(start_paused = true)]
async fn reply_is_served_again_while_it_is_fresh() {
    let (layer, call) = cached();
    let (service, mut handle) = service(&layer);
    let first = tokio::spawn(service.clone().oneshot(call.invocation()));
    handle.answer(json("1")).await;
    assert_eq!(body(first.await.unwrap()), "1");

    tokio::time::advance(TTL - Duration::from_secs(1)).await;
    let again = call.invocation();
    let hit = again.request.call.clone();
    assert_eq!(body(service.clone().oneshot(again).await), "1");
    assert!(hit.is_cache_hit());
    assert_eq!(hit.take_response_headers().unwrap()[http::header::AGE], "59");
    assert!(handle.try_request().is_none(), "the method was called for a hit");

    let other = tokio::spawn(service.oneshot(call.with_account("another").invocation()));
    handle.answer(json("theirs")).await;
    assert_eq!(body(other.await.unwrap()), "theirs");
}

#[tokio::test(start_paused = true)]
async fn stale_reply_is_served_while_it_is_revalidated() {
    let (layer, call) = cached();
    let (service, mut handle) = service(&layer);
    let first = tokio::spawn(service.clone().oneshot(call.invocation()));
    handle.answer(json("1")).await;
    first.await.unwrap().unwrap();
    tokio::time::advance(TTL + Duration::from_secs(1)).await;
    assert_eq!(body(service.clone().oneshot(call.invocation()).await), "1");
    let revalidation = handle.answer(json("2")).await;
    assert_eq!(revalidation.request.call.origin(), Origin::Cache);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(body(service.oneshot(call.invocation()).await), "2");
}

#[tokio::test(start_paused = true)]
async fn stale_reply_is_served_if_making_a_new_one_fails() {
    let (layer, call) = cached();
    let (service, mut handle) = service(&layer);
    let first = tokio::spawn(service.clone().oneshot(call.invocation()));
    handle.answer(json("1")).await;
    first.await.unwrap().unwrap();
    tokio::time::advance(TTL + Duration::from_secs(31)).await;
    for fails in [true, false] {
        let future = tokio::spawn(service.clone().oneshot(call.invocation()));
        let MockRequest { reply, .. } = handle.next_request().await;
        match fails {
            true => reply.send(Err(Error::new(Code::NO_PROVIDER, "none"))),
            false => reply.panic(),
        }
        assert_eq!(body(future.await.unwrap()), "1");
    }
}

#[tokio::test]
async fn concurrent_calls_wait_for_one_flight() {
    let (layer, call) = cached();
    let (service, mut handle) = service(&layer);
    let calls: Vec<_> =
        (0..3).map(|_| tokio::spawn(service.clone().oneshot(call.invocation()))).collect();
    let request = handle.next_request().await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(handle.try_request().is_none(), "two calls make the reply");
    request.reply.send(json("1"));
    for call in calls {
        assert_eq!(body(call.await.unwrap()), "1");
    }
}

/// The flight goes on with another passenger when its leader disconnects or fails.
#[tokio::test]
async fn waiting_call_leads_on_when_the_leader_is_dropped_or_fails() {
    for is_dropped in [true, false] {
        let (layer, call) = cached();
        let (service, mut handle) = service(&layer);
        let leader = tokio::spawn(service.clone().oneshot(call.invocation()));
        let request = handle.next_request().await;
        let waiting = tokio::spawn(service.oneshot(call.invocation()));
        tokio::task::yield_now().await;
        match is_dropped {
            true => leader.abort(),
            false => request.reply.send(Err(Error::new(Code::NO_PROVIDER, "none"))),
        }
        handle.answer(json("2")).await;
        assert_eq!(body(waiting.await.unwrap()), "2");
        assert!(leader.await.is_err() == is_dropped);
    }
}

#[tokio::test]
async fn failures_are_not_stored() {
    let (layer, call) = cached();
    let (service, mut handle) = service(&layer);
    for _ in 0..2 {
        let future = tokio::spawn(service.clone().oneshot(call.invocation()));
        handle.answer(Err(Error::new(Code::NO_PROVIDER, "none"))).await;
        assert_eq!(future.await.unwrap().unwrap_err().code(), Code::NO_PROVIDER);
    }
}
