//! Unit tests of the layer: a panic is the failure of its call, and of no other.

use futures_util::stream;
use tower::ServiceExt;

use super::*;
use crate::{
    base::spec::Effect,
    pipeline::tests::{
        mock_service::{self, Readiness, assert_passes_through, assert_readiness},
        test_call::TestMethod,
    },
};

async fn outcome(inner: impl Future<Output = Result<Reply, Error>>) -> Result<Reply, Error> {
    UnwindFuture { inner: Box::pin(inner) }.await
}

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let call = TestMethod::with_effect(Effect::Once).call();
    assert_readiness(UnwindLayer, || call.invocation()).await;
    assert_passes_through(UnwindLayer, || call.invocation()).await;
}

#[tokio::test]
async fn panic_is_an_internal_error_whose_text_is_for_the_log_alone() {
    let error = outcome(async { panic!("told to {}", "the log") }).await.unwrap_err();
    assert_eq!(error.log_message(), Some("panicked: told to the log"));
    assert!(!error.detail().contains("the log"));
    assert!(matches!(outcome(async { Ok(Reply::Empty) }).await, Ok(Reply::Empty)));
}

#[tokio::test]
async fn panic_of_a_call_leaves_the_service_for_the_next_one() {
    let call = TestMethod::with_effect(Effect::Once).call();
    let (inner, mut handle) = mock_service::pair();
    let mut service = UnwindLayer.layer(inner);
    handle.set_readiness(Readiness::CallPanics);
    let error = service.ready().await.unwrap().call(call.invocation()).await.unwrap_err();
    assert_eq!(error.log_message(), Some("panicked: the call itself panics"));

    handle.set_readiness(Readiness::Ready);
    let future = tokio::spawn(service.ready().await.unwrap().call(call.invocation()));
    handle.next_request().await.reply.panic();
    let error = future.await.unwrap().unwrap_err();
    assert_eq!(error.log_message(), Some("panicked: the method panics"));

    let future = tokio::spawn(service.ready().await.unwrap().call(call.invocation()));
    handle.answer(Ok(Reply::Empty)).await;
    assert!(matches!(future.await.unwrap(), Ok(Reply::Empty)));
}

#[tokio::test]
async fn stream_that_panics_ends_with_an_error() {
    for is_raw in [false, true] {
        let chunks = stream::iter(0..2)
            .map(|number| if number == 1 { panic!("at one") } else { Ok("0".into()) });
        let reply = match is_raw {
            true => Reply::RawStream("text/plain", Box::pin(chunks)),
            false => Reply::Items(Box::pin(chunks)),
        };
        let reply = outcome(async { Ok(reply) }).await.unwrap();
        let (Reply::Items(mut chunks) | Reply::RawStream(_, mut chunks)) = reply else {
            panic!("{reply:?}")
        };
        assert_eq!(chunks.next().await.unwrap().unwrap(), "0");
        assert_eq!(
            chunks.next().await.unwrap().unwrap_err().log_message(),
            Some("panicked: at one")
        );
        assert!(chunks.next().await.is_none());
    }
}
