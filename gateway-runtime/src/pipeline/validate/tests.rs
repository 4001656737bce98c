//! Unit tests of the layer: only valid inputs pass, and a refusal has every violation.

use tower::ServiceExt;

use super::*;
use crate::{
    base::{error::Code, spec::Effect},
    pipeline::tests::{
        mock_service::{self, assert_passes_through, assert_readiness},
        test_call::TestMethod,
    },
};

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let call = TestMethod::with_effect(Effect::Once).call();
    assert_readiness(ValidateLayer, || call.invocation()).await;
    assert_passes_through(ValidateLayer, || call.invocation()).await;
}

#[tokio::test]
async fn valid_input_goes_on_as_a_document() {
    let call = TestMethod::with_effect(Effect::Once).call();
    let (inner, mut handle) = mock_service::pair();
    let future = tokio::spawn(ValidateLayer.layer(inner).oneshot(call.invocation()));
    let invocation = handle.answer(Ok(Reply::Empty)).await;
    let Input::Valid(document) = invocation.request.input else { panic!("not validated") };
    assert_eq!(document.to_value(), serde_json::json!({ "name": "a book" }));
    future.await.unwrap().unwrap();
}

#[tokio::test]
async fn invalid_input_is_refused_with_its_violations() {
    let method = TestMethod::with_effect(Effect::Once);
    for (input, pointer) in [(r#"{"name":1}"#, "/name"), (r#"{}"#, ""), ("{", "")] {
        let (inner, mut handle) = mock_service::pair();
        let refused =
            ValidateLayer.layer(inner).oneshot(method.call().with_input(input).invocation()).await;
        let error = refused.unwrap_err();
        assert_eq!(error.code(), Code::INVALID_REQUEST, "{input}");
        assert_eq!(error.violations()[0].pointer, pointer, "{input}");
        assert!(handle.try_request().is_none(), "the call went on with {input}");
    }
}
