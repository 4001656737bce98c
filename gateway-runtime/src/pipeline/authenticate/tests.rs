//! Unit tests of the layer: the caller is known and authorized before the call goes on.

use tokio::sync::watch;
use tower::ServiceExt;

use super::*;
use crate::{
    auth::{ApiKey, ApiKeys, AuthSettings, NewApiKey},
    base::spec::{Effect, MethodSpec},
    pipeline::tests::{
        mock_service::{self, assert_passes_through, assert_readiness},
        test_call::{TestCall, TestMethod, spec},
    },
};

/// A store of one API key, whose look-ups wait until it is open.
#[derive(Debug)]
struct SlowKeys {
    key: ApiKey,
    is_open: watch::Receiver<bool>,
}

impl ApiKeys for SlowKeys {
    fn find<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<ApiKey>, Error>> {
        Box::pin(async {
            let mut is_open = self.is_open.clone();
            let _ = is_open.wait_for(|open| *open).await;
            Ok(Some(self.key.clone()))
        })
    }
}

struct Door {
    layer: AuthenticateLayer,
    key: String,
    open: watch::Sender<bool>,
}

fn door(is_open: bool) -> Door {
    let new = NewApiKey::generate().unwrap();
    let key = ApiKey {
        account: "ada".into(),
        scopes: ["buy".into()].into(),
        expires: None,
        revoked: false,
        hash: new.hash,
    };
    let (open, is_open) = watch::channel(is_open);
    let keys: Arc<dyn ApiKeys> = Arc::new(SlowKeys { key, is_open });
    let authenticator = Authenticator::new(&AuthSettings::default(), vec![keys], || {
        panic!("nothing is to be fetched")
    });
    let authenticator = Arc::new(authenticator.unwrap().unwrap());
    let key = new.key.expose().to_owned();
    Door { layer: AuthenticateLayer(Some(authenticator)), key, open }
}

fn call(auth: AuthMode, scopes: &'static [&'static str]) -> TestCall {
    TestMethod::new(MethodSpec { auth: Some(auth), scopes, ..spec(Effect::Once) }).call()
}

#[tokio::test]
async fn readiness_failures_and_drops_pass_through() {
    let door = door(true);
    let with_key = |call: TestCall| call.with_header("x-api-key", &door.key);
    let none = call(AuthMode::None, &[]);
    let optional = call(AuthMode::Optional, &[]);
    let required = with_key(call(AuthMode::Required, &["buy"]));
    assert_readiness(AuthenticateLayer(None), || optional.invocation()).await;
    for call in [none, optional, required] {
        assert_readiness(door.layer.clone(), || call.invocation()).await;
        assert_passes_through(door.layer.clone(), || call.invocation()).await;
    }
}

#[tokio::test]
async fn caller_is_known_before_the_call_goes_on() {
    let door = door(false);
    let (inner, mut handle) = mock_service::pair();
    let call = call(AuthMode::Required, &["buy"]).with_header("x-api-key", &door.key);
    let future = tokio::spawn(door.layer.layer(inner).oneshot(call.invocation()));
    tokio::task::yield_now().await;
    assert!(handle.try_request().is_none(), "went on before its key was found");
    door.open.send(true).unwrap();
    let invocation = handle.answer(Ok(Reply::Empty)).await;
    assert_eq!(invocation.request.call.caller().account(), Some("ada"));
    future.await.unwrap().unwrap();
}

#[tokio::test]
async fn call_that_is_dropped_meanwhile_does_not_go_on() {
    let door = door(false);
    let (inner, mut handle) = mock_service::pair();
    let call = call(AuthMode::Required, &[]).with_header("x-api-key", &door.key);
    let future = tokio::spawn(door.layer.layer(inner).oneshot(call.invocation()));
    tokio::task::yield_now().await;
    future.abort();
    assert!(future.await.unwrap_err().is_cancelled());
    let _ = door.open.send(true);
    assert!(handle.try_request().is_none());
}

#[tokio::test]
async fn callers_who_may_not_call_are_refused() {
    let door = door(true);
    let with_key = |call: TestCall| call.with_header("x-api-key", &door.key);
    let forged = format!("{}0", &door.key[..door.key.len() - 1]);
    for (call, code, account) in [
        (call(AuthMode::Required, &[]), Code::UNAUTHENTICATED, None),
        // Wrong credentials are refused where none are needed.
        (
            call(AuthMode::Optional, &[]).with_header("x-api-key", &forged),
            Code::UNAUTHENTICATED,
            None,
        ),
        (with_key(call(AuthMode::Required, &["sell"])), Code::FORBIDDEN, Some("ada")),
    ] {
        if forged == door.key {
            continue;
        }
        let (inner, mut handle) = mock_service::pair();
        let invocation = call.invocation();
        let call = invocation.request.call.clone();
        let error = door.layer.layer(inner).oneshot(invocation).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert_eq!(call.caller().account(), account, "the log line names the caller");
        assert!(handle.try_request().is_none(), "the call went on");
    }
}

/// An edge that has a body to read authorizes a call first.
#[tokio::test]
async fn authorization_of_the_edge_is_final() {
    let door = door(true);
    let call = call(AuthMode::Required, &[]);
    let (inner, mut handle) = mock_service::pair();
    let mut service = door.layer.layer(inner);
    let mut invocation = call.invocation();
    invocation.authorized = Some(Err(Error::new(Code::FORBIDDEN, "no")));
    let refused = service.ready().await.unwrap().call(invocation).await.unwrap_err();
    assert_eq!(refused.code(), Code::FORBIDDEN);
    assert!(handle.try_request().is_none());

    let mut invocation = call.invocation();
    invocation.authorized = Some(Ok(()));
    let future = tokio::spawn(service.ready().await.unwrap().call(invocation));
    handle.answer(Ok(Reply::Empty)).await;
    future.await.unwrap().unwrap();
}
