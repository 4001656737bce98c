//! The context of a call, and the runtime that executes it.

use std::time::{Duration, Instant};

use gateway_runtime::{
    Call, CallContext, MethodSpec, Origin, RequestId, ServiceSpec, SourceLocation, Verb,
};
use http::HeaderMap;

/// The source location of specifications that no author has written.
pub(crate) const HERE: SourceLocation = SourceLocation { file: file!(), line: line!() };

/// Creates a call of a placeholder method.
pub(crate) fn call() -> Call {
    static SERVICE: ServiceSpec = ServiceSpec {
        name: "s",
        version: 1,
        title: "",
        description: "",
        auth: None,
        scopes: &[],
        source: HERE,
    };
    static METHOD: MethodSpec = MethodSpec::new("m", Verb::Get, HERE);
    call_of(&SERVICE, &METHOD)
}

/// Creates a call of this method that begins now.
pub(crate) fn call_of(service: &'static ServiceSpec, method: &'static MethodSpec) -> Call {
    let now = Instant::now();
    let arrival = CallContext {
        id: RequestId::generate(),
        origin: Origin::Http,
        peer: None,
        country: None,
        headers: HeaderMap::new(),
        started: now,
        deadline: now + Duration::from_secs(30),
    };
    Call::new(service, method, arrival)
}

/// Creates a runtime with one thread, as each worker of the server has it.
#[expect(clippy::expect_used, reason = "without a runtime there is nothing to measure")]
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}
