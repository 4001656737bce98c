//! Unit tests of the layer: a call ends in time, and its error says what is known of it.

use std::time::Duration;

use tower::ServiceExt;

use super::*;
use crate::pipeline::tests::{
    mock_service::{self, MockRequest, assert_passes_through, assert_readiness},
    test_call::TestMethod,
};

const TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let call = TestMethod::with_effect(Effect::Once).call();
    assert_readiness(DeadlineLayer, || call.invocation()).await;
    assert_passes_through(DeadlineLayer, || call.invocation()).await;
}

/// SEMANTICS §7: "a deadline that ends before anything was sent is a definite failure". After that,
/// `read` and `idempotent` can be repeated; what must not run twice has an unknown outcome (§3,
/// §5): `keyed` too, since a provider recognizes a repetition only if the caller sends its own key
/// again.
#[tokio::test(start_paused = true)]
async fn deadline_is_a_timeout_or_an_unknown_outcome_by_effect() {
    let table = [
        (Effect::Read, Code::TIMEOUT, Code::TIMEOUT),
        (Effect::Idempotent, Code::TIMEOUT, Code::TIMEOUT),
        (Effect::Keyed, Code::TIMEOUT, Code::OUTCOME_UNKNOWN),
        (Effect::Once, Code::TIMEOUT, Code::OUTCOME_UNKNOWN),
    ];
    for (effect, before_dispatch, after_dispatch) in table {
        for (is_dispatched, code) in [(false, before_dispatch), (true, after_dispatch)] {
            let call = TestMethod::with_effect(effect).call().with_timeout(TIMEOUT);
            let (inner, mut handle) = mock_service::pair();
            let begun = Instant::now();
            let future = tokio::spawn(DeadlineLayer.layer(inner).oneshot(call.invocation()));
            let MockRequest { invocation, reply } = handle.next_request().await;
            if is_dispatched {
                invocation.request.call.mark_dispatched();
            }
            let error = future.await.unwrap().unwrap_err();
            assert_eq!(begun.elapsed().as_secs(), TIMEOUT.as_secs(), "{effect:?}");
            assert_eq!(error.code(), code, "{effect:?}, dispatched: {is_dispatched}");
            assert_eq!(error.is_retryable(), code == Code::TIMEOUT);
            assert!(reply.is_dropped(), "the call still runs");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reply_in_time_is_passed_on() {
    let call = TestMethod::with_effect(Effect::Once).call().with_timeout(TIMEOUT);
    let (inner, mut handle) = mock_service::pair();
    let future = tokio::spawn(DeadlineLayer.layer(inner).oneshot(call.invocation()));
    let request = handle.next_request().await;
    tokio::time::sleep(TIMEOUT - Duration::from_millis(2)).await;
    request.reply.send(Ok(Reply::Empty));
    assert!(matches!(future.await.unwrap(), Ok(Reply::Empty)));
}
