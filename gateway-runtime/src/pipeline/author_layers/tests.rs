//! Unit tests of authors' layers: their order, their readiness and their errors.

use std::sync::Mutex;

use tower::layer::layer_fn;

use super::*;
use crate::{
    base::spec::Effect,
    pipeline::tests::{
        mock_service::{self, Readiness, assert_passes_through, assert_readiness},
        test_call::TestMethod,
    },
};

/// A layer that fails with an error of its own.
fn failing(error: fn() -> BoxError) -> impl PipelineLayer {
    layer_fn(move |_: InnerService| {
        tower::service_fn(move |_: Invocation| async move { Err::<Reply, _>(error()) })
    })
}

#[tokio::test]
async fn position_without_layers_passes_through() {
    let call = TestMethod::with_effect(Effect::Once).call();
    let empty = Layers::default();
    assert_readiness(empty.at(LayerPosition::AroundMethod), || call.invocation()).await;
    assert_passes_through(empty.at(LayerPosition::AroundMethod), || call.invocation()).await;
}

#[tokio::test]
async fn layers_of_a_position_wrap_in_the_order_of_their_addition() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let named = |name: &'static str| {
        let seen = Arc::clone(&seen);
        layer_fn(move |inner: InnerService| {
            let seen = Arc::clone(&seen);
            inner.map_request(move |invocation: Invocation| {
                seen.lock().unwrap().push(name);
                invocation
            })
        })
    };
    let mut layers = Layers::default();
    layers.add(LayerPosition::AroundMethod, named("outer"));
    layers.add(LayerPosition::Outermost, named("of another position"));
    layers.add(LayerPosition::AroundMethod, named("inner"));
    let call = TestMethod::with_effect(Effect::Once).call();
    assert_passes_through(layers.at(LayerPosition::AroundMethod), || call.invocation()).await;
    assert_eq!(*seen.lock().unwrap(), ["outer", "inner", "outer", "inner"]);
}

#[tokio::test]
async fn layer_that_is_not_ready_delays_only_its_call() {
    let mut layers = Layers::default();
    layers.add(LayerPosition::AroundMethod, layer_fn(|inner: InnerService| inner));
    let (inner, mut handle) = mock_service::pair();
    let mut service = layers.at(LayerPosition::AroundMethod).layer(inner);
    handle.set_readiness(Readiness::NotReady);
    let call = TestMethod::with_effect(Effect::Once).call();
    let mut future = tokio::spawn(service.ready().await.unwrap().call(call.invocation()));
    tokio::task::yield_now().await;
    assert!(futures_util::FutureExt::now_or_never(&mut future).is_none());
    assert!(handle.try_request().is_none(), "called before it was ready");
    handle.set_readiness(Readiness::Ready);
    handle.answer(Ok(Reply::Empty)).await;
    assert!(matches!(future.await.unwrap(), Ok(Reply::Empty)));

    handle.set_readiness(Readiness::Failed);
    let failed = service.ready().await.unwrap().call(call.invocation()).await;
    assert_eq!(failed.unwrap_err().code(), Code::OVERLOADED);
}

#[tokio::test]
async fn errors_of_layers_have_codes() {
    let table: [(fn() -> BoxError, Code); 4] = [
        (|| Error::new(Code::FORBIDDEN, "not today").into(), Code::FORBIDDEN),
        (|| Box::new(Overloaded::new()), Code::OVERLOADED),
        (|| Box::new(Elapsed::new()), Code::TIMEOUT),
        (|| "something else".into(), Code::INTERNAL),
    ];
    for (error, code) in table {
        let mut layers = Layers::default();
        layers.add(LayerPosition::AroundMethod, failing(error));
        let (inner, _handle) = mock_service::pair();
        let service = layers.at(LayerPosition::AroundMethod).layer(inner);
        let call = TestMethod::with_effect(Effect::Once).call();
        let failed = service.oneshot(call.invocation()).await.unwrap_err();
        assert_eq!(failed.code(), code);
        assert!(!failed.detail().contains("something else"), "a text for the log alone");
    }
}
