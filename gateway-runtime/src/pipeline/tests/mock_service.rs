//! A mock inner service, as `tower_test::mock` has it: a handle receives the requests and answers
//! them by hand. It has the error and the reply of the pipeline, which that of `tower_test` lacks.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::sync::{mpsc, oneshot};
use tower::{Layer, Service, ServiceExt};

use crate::{
    base::{
        error::{Code, Error},
        reply::Reply,
    },
    pipeline::invocation::Invocation,
};

/// The time after which a request that does not come fails a test.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);

/// Creates a mock service that is ready, and its handle.
pub(in crate::pipeline) fn pair() -> (MockService, MockHandle) {
    let (sender, requests) = mpsc::unbounded_channel();
    let state = Arc::new(Mutex::new((Readiness::Ready, Vec::new())));
    let service = MockService { state: Arc::clone(&state), sender, is_ready: false };
    (service, MockHandle { state, requests })
}

/// The mock service. It panics when it is called without having been polled ready. Its clones have
/// to be polled ready themselves.
#[derive(Debug)]
pub(in crate::pipeline) struct MockService {
    state: Arc<Mutex<(Readiness, Vec<Waker>)>>,
    sender: mpsc::UnboundedSender<MockRequest>,
    is_ready: bool,
}

/// The readiness of a mock service and its clones.
#[derive(Clone, Copy, Debug)]
pub(in crate::pipeline) enum Readiness {
    Ready,
    NotReady,
    /// Readiness fails, with the code `overloaded`.
    Failed,
    /// Ready, and `call` itself panics.
    CallPanics,
}

/// The handle of a mock service.
#[derive(Debug)]
pub(in crate::pipeline) struct MockHandle {
    state: Arc<Mutex<(Readiness, Vec<Waker>)>>,
    requests: mpsc::UnboundedReceiver<MockRequest>,
}

/// A request that has reached the mock service.
#[derive(Debug)]
pub(in crate::pipeline) struct MockRequest {
    pub(in crate::pipeline) invocation: Invocation,
    pub(in crate::pipeline) reply: SendReply,
}

/// The answer to a request. Dropped, it leaves the request without one for ever.
#[derive(Debug)]
pub(in crate::pipeline) struct SendReply(oneshot::Sender<Answer>);

#[derive(Debug)]
enum Answer {
    Outcome(Result<Reply, Error>),
    Panic,
}

impl Clone for MockService {
    fn clone(&self) -> Self {
        Self { state: Arc::clone(&self.state), sender: self.sender.clone(), is_ready: false }
    }
}

impl Service<Invocation> for MockService {
    type Response = Reply;
    type Error = Error;
    type Future = MockFuture;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        // Readiness lasts until the call.
        if self.is_ready {
            return Poll::Ready(Ok(()));
        }
        let (readiness, wakers) = &mut *self.state.lock().unwrap();
        match readiness {
            Readiness::Ready | Readiness::CallPanics => {
                self.is_ready = true;
                Poll::Ready(Ok(()))
            }
            Readiness::NotReady => {
                wakers.push(context.waker().clone());
                Poll::Pending
            }
            Readiness::Failed => Poll::Ready(Err(Error::new(Code::OVERLOADED, "never ready"))),
        }
    }

    fn call(&mut self, invocation: Invocation) -> MockFuture {
        assert!(std::mem::take(&mut self.is_ready), "called without having been polled ready");
        let panics = matches!(self.state.lock().unwrap().0, Readiness::CallPanics);
        assert!(!panics, "the call itself panics");
        let (reply, answer) = oneshot::channel();
        let request = MockRequest { invocation, reply: SendReply(reply) };
        self.sender.send(request).expect("the handle of the mock service is gone");
        MockFuture(answer)
    }
}

/// The future of a request, which ends when the handle answers.
#[derive(Debug)]
pub(in crate::pipeline) struct MockFuture(oneshot::Receiver<Answer>);

impl Future for MockFuture {
    type Output = Result<Reply, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.0).poll(context) {
            Poll::Ready(Ok(Answer::Outcome(outcome))) => Poll::Ready(outcome),
            Poll::Ready(Ok(Answer::Panic)) => panic!("the method panics"),
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl MockHandle {
    /// Waits for the next request. Fails if none comes.
    pub(in crate::pipeline) async fn next_request(&mut self) -> MockRequest {
        let request = tokio::time::timeout(REQUEST_TIMEOUT, self.requests.recv()).await;
        request.expect("no request has come").expect("all mock services are gone")
    }

    /// Answers the next request, and returns its invocation.
    pub(in crate::pipeline) async fn answer(
        &mut self,
        outcome: Result<Reply, Error>,
    ) -> Invocation {
        let MockRequest { invocation, reply } = self.next_request().await;
        reply.send(outcome);
        invocation
    }

    /// Returns the next request, if one is there.
    pub(in crate::pipeline) fn try_request(&mut self) -> Option<MockRequest> {
        self.requests.try_recv().ok()
    }

    /// Sets the readiness of the service and its clones.
    pub(in crate::pipeline) fn set_readiness(&self, readiness: Readiness) {
        let (state, wakers) = &mut *self.state.lock().unwrap();
        *state = readiness;
        wakers.drain(..).for_each(Waker::wake);
    }
}

impl SendReply {
    pub(in crate::pipeline) fn send(self, outcome: Result<Reply, Error>) {
        // The caller may have disconnected.
        let _ = self.0.send(Answer::Outcome(outcome));
    }

    /// Makes the future of the request panic.
    pub(in crate::pipeline) fn panic(self) {
        let _ = self.0.send(Answer::Panic);
    }

    /// Returns whether the future of the request was dropped.
    pub(in crate::pipeline) fn is_dropped(&self) -> bool {
        self.0.is_closed()
    }

    /// Waits until the future of the request is dropped.
    pub(in crate::pipeline) async fn dropped(&mut self) {
        self.0.closed().await;
    }
}

/// Asserts the contract of tower at one layer, for the path that `invocation` takes through it: a
/// layer is ready when its inner service is, passes on that readiness failed, calls the service
/// that was polled ready, and is ready again for the next call.
pub(in crate::pipeline) async fn assert_readiness<L>(
    layer: L,
    mut invocation: impl FnMut() -> Invocation,
) where
    L: Layer<MockService>,
    L::Service: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>,
{
    let (inner, mut handle) = pair();
    let mut service = layer.layer(inner);
    handle.set_readiness(Readiness::NotReady);
    assert!(
        futures_util::FutureExt::now_or_never(service.ready()).is_none(),
        "the layer is ready before its inner service"
    );
    handle.set_readiness(Readiness::Failed);
    let failed = service.ready().await.map(drop).unwrap_err();
    assert_eq!(failed.code(), Code::OVERLOADED, "the failure of readiness is passed on");
    handle.set_readiness(Readiness::Ready);
    for _ in 0..2 {
        let call = service.ready().await.unwrap().call(invocation());
        // From here on a clone would have to wait for ever.
        handle.set_readiness(Readiness::NotReady);
        let call = tokio::spawn(call);
        handle.answer(Ok(Reply::Empty)).await;
        call.await.expect("the layer panicked").unwrap();
        handle.set_readiness(Readiness::Ready);
    }
}

/// Asserts that a layer lets a call through, for the path that `invocation` takes through it: the
/// failure of the inner service is the layer's own, and its future is dropped with the layer's.
pub(in crate::pipeline) async fn assert_passes_through<L>(
    layer: L,
    mut invocation: impl FnMut() -> Invocation,
) where
    L: Layer<MockService>,
    L::Service: Service<Invocation, Response = Reply, Error = Error, Future: Send + 'static>,
{
    const SOLD_OUT: Code = Code::new("sold-out", 409, "Sold out");
    let (inner, mut handle) = pair();
    let mut service = layer.layer(inner);
    let call = tokio::spawn(service.ready().await.unwrap().call(invocation()));
    handle.answer(Err(Error::new(SOLD_OUT, "none left"))).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!((error.code(), error.detail()), (SOLD_OUT, "none left"));

    let call = tokio::spawn(service.ready().await.unwrap().call(invocation()));
    let MockRequest { reply: mut answer, .. } = handle.next_request().await;
    assert!(!answer.is_dropped());
    call.abort();
    answer.dropped().await;
}
