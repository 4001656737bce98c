//! Unit tests of the innermost service.

use futures_util::FutureExt;
use tower::ServiceExt;

use super::*;
use crate::{base::spec::Effect, pipeline::tests::test_call::TestMethod};

#[tokio::test]
async fn method_is_marked_as_called_before_it_runs() {
    let invocation = TestMethod::with_effect(Effect::Once).call().validated().invocation();
    let call = invocation.request.call.clone();
    assert!(!call.is_dispatched());
    let future = InvokeMethod.call(invocation);
    assert!(call.is_dispatched(), "a call that is dropped now may have had an effect");
    let Reply::Json(body) = future.await.unwrap() else { panic!("no JSON") };
    assert_eq!(body, r#"{"name":"a book","is_dispatched":true}"#);
}

#[tokio::test]
async fn service_is_always_ready_and_passes_on_failures() {
    assert!(InvokeMethod.ready().now_or_never().unwrap().is_ok());
    // Not validated: the method refuses it.
    let unvalidated = TestMethod::with_effect(Effect::Once).call().invocation();
    let error = InvokeMethod.oneshot(unvalidated).await.unwrap_err();
    assert_eq!(error.code().name(), "internal");
}
