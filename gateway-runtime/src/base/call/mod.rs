//! A call, over any transport: its id, caller, method, deadline and outcome.

mod caller;
mod context;
mod outcome;
mod progress;
mod request_id;
mod witness;

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, LazyLock, OnceLock},
    time::Instant,
};

use http::HeaderMap;

pub use crate::base::call::{
    caller::Caller,
    context::{CallContext, Input, Origin},
    request_id::RequestId,
};
pub(crate) use crate::base::call::{request_id::sortable_id, witness::Witness};
use crate::base::{
    call::outcome::CallOutcome,
    country::Country,
    spec::{MethodSpec, ServiceSpec},
};

/// A call; cheap to clone, and a method may take it as an argument.
///
/// All of its values belong to this call alone (SEMANTICS §4: "Nothing of a caller may be stored
/// where another request can see it").
#[derive(Clone)]
pub struct Call(Arc<Inner>);

struct Inner {
    id: RequestId,
    origin: Origin,
    service: &'static ServiceSpec,
    method: &'static MethodSpec,
    peer: Option<IpAddr>,
    country: Option<Country>,
    headers: HeaderMap,
    started: Instant,
    deadline: Instant,
    nonce: u64,
    caller: OnceLock<Caller>,
    outcome: CallOutcome,
}

impl Call {
    /// Creates a call of `method`; called by an edge.
    #[must_use]
    pub fn new(
        service: &'static ServiceSpec,
        method: &'static MethodSpec,
        context: CallContext,
    ) -> Self {
        let CallContext { id, origin, peer, country, headers, started, deadline } = context;
        Self(Arc::new(Inner {
            id,
            origin,
            service,
            method,
            peer,
            country,
            headers,
            started,
            deadline,
            nonce: fastrand::u64(..),
            caller: OnceLock::new(),
            outcome: CallOutcome::default(),
        }))
    }

    /// Returns the request id.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        &self.0.id
    }

    /// Returns a random number that distinguishes this call from all others, also from those to
    /// which their callers gave the same id.
    pub(crate) fn nonce(&self) -> u64 {
        self.0.nonce
    }

    /// Returns the transport by which the call came.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// Returns the service.
    #[must_use]
    pub fn service(&self) -> &'static ServiceSpec {
        self.0.service
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &'static MethodSpec {
        self.0.method
    }

    /// Returns the client's address.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.0.peer
    }

    /// Returns the country of the client, if it is known.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        self.0.country
    }

    /// Returns the header fields of the request.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Returns the trace id of a valid `traceparent` (W3C Trace Context §3.2): 32 lower-case
    /// hexadecimal digits, not all of them 0.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        let mut parts = self.0.headers.get("traceparent")?.to_str().ok()?.split('-');
        let version = parts.next()?;
        let id = parts.next()?;
        let is_hex =
            |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let is_valid = version.len() == 2
            && version != "ff"
            && is_hex(version)
            && id.len() == 32
            && is_hex(id);
        Some(id).filter(|id| is_valid && id.bytes().any(|digit| digit != b'0'))
    }

    /// Returns the time at which the call began.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.0.started
    }

    /// Returns the time by which the call must be answered.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.0.deadline
    }

    /// Returns the caller, who is anonymous until [`identify`](Self::identify) is called.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        static ANONYMOUS: LazyLock<Caller> = LazyLock::new(Caller::default);
        self.0.caller.get().unwrap_or(&ANONYMOUS)
    }

    /// Sets the caller, once; called by authentication.
    ///
    /// # Errors
    ///
    /// Returns `caller` if a caller is set already.
    pub fn identify(&self, caller: Caller) -> Result<(), Caller> {
        self.0.caller.set(caller)
    }

    /// Returns a call that revalidates the cached reply (RFC 9111 §4.3), from now on and within the
    /// same time. The gateway makes it, and not the client.
    pub(crate) fn for_revalidation(&self) -> Self {
        // Deadlines are compared with this clock.
        let started = tokio::time::Instant::now().into_std();
        let context = CallContext {
            id: self.id().clone(),
            origin: Origin::Cache,
            peer: self.peer(),
            country: self.country(),
            headers: self.headers().clone(),
            started,
            deadline: started + (self.deadline() - self.started()),
        };
        let call = Self::new(self.service(), self.method(), context);
        // A new call has no caller yet, so this cannot fail.
        let _ = call.identify(self.caller().clone());
        call
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("id", &self.0.id.as_str())
            .field("service", &self.0.service.name)
            .field("method", &self.0.method.name)
            .finish_non_exhaustive()
    }
}

/// The request that passes through the pipeline: a call and its input.
#[derive(Debug)]
pub struct CallRequest {
    /// Call, with its context.
    pub call: Call,
    /// Input of the call.
    pub input: Input,
}
