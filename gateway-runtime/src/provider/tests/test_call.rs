//! The calls of the tests.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use crate::{
    Call, CallContext, Country, MethodSpec, Origin, RequestId, ServiceSpec, SourceLocation, Verb,
};

const HERE: SourceLocation = SourceLocation { file: file!(), line: line!() };

static SERVICE: ServiceSpec = ServiceSpec {
    name: "currency",
    version: 1,
    title: "",
    description: "",
    auth: None,
    scopes: &[],
    source: HERE,
};

static METHOD: MethodSpec = MethodSpec::new("rates", Verb::Post, HERE);

/// Returns a context with a deadline after `time`.
fn context(time: Duration) -> CallContext {
    let now = Instant::now().into_std();
    CallContext {
        id: RequestId::generate(),
        origin: Origin::Http,
        peer: None,
        country: None,
        headers: HeaderMap::new(),
        started: now,
        deadline: now + time,
    }
}

pub(in crate::provider) fn call() -> Call {
    call_from(None)
}

pub(in crate::provider) fn call_from(country: Option<Country>) -> Call {
    let context = context(Duration::from_secs(60));
    Call::new(&SERVICE, &METHOD, CallContext { country, ..context })
}

pub(super) fn call_within(time: Duration, headers: HeaderMap) -> Call {
    Call::new(&SERVICE, &METHOD, CallContext { headers, ..context(time) })
}
