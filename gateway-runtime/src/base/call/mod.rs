//! A call, over any transport: its id, caller, method, deadline and outcome.

mod caller;
mod context;
mod request_id;
mod witness;

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc, LazyLock, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use http::{HeaderMap, HeaderName, HeaderValue};

pub use crate::base::call::{
    caller::Caller,
    context::{CallContext, Input, Origin},
    request_id::RequestId,
};
pub(crate) use crate::base::call::{request_id::sortable_id, witness::Witness};
use crate::base::{
    attempt::Attempt,
    country::Country,
    money::Money,
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
    plan: OnceLock<Plan>,
    usage: AtomicU64,
    attempts: Mutex<Vec<Attempt>>,
    streaming_provider: OnceLock<&'static str>,
    witness: OnceLock<Arc<dyn Witness>>,
    dispatched: AtomicBool,
    replayed: AtomicBool,
    cache_hit: AtomicBool,
    charge: OnceLock<Money>,
    response_headers: OnceLock<Box<Mutex<HeaderMap>>>,
}

/// The plan of a caller's account, as far as it is known.
enum Plan {
    /// The plan was read; `None` where there is no such account.
    Known(Option<Arc<str>>),
    Unknown,
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
            plan: OnceLock::new(),
            usage: AtomicU64::new(0),
            attempts: Mutex::new(Vec::new()),
            streaming_provider: OnceLock::new(),
            witness: OnceLock::new(),
            dispatched: AtomicBool::new(false),
            replayed: AtomicBool::new(false),
            cache_hit: AtomicBool::new(false),
            charge: OnceLock::new(),
            response_headers: OnceLock::new(),
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
        let (version, id) = (parts.next()?, parts.next()?);
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

    /// Returns the plan of the caller's account, where prices or limits depend on plans.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        match self.0.plan.get()? {
            Plan::Known(plan) => plan.as_deref(),
            Plan::Unknown => None,
        }
    }

    /// Sets the plan; `None` where there is no such account.
    pub(crate) fn set_plan(&self, plan: Option<Arc<str>>) {
        // The plan is read once for a call.
        let _ = self.0.plan.set(Plan::Known(plan));
    }

    /// Returns whether the plan could not be read.
    pub(crate) fn is_plan_unknown(&self) -> bool {
        matches!(self.0.plan.get(), Some(Plan::Unknown))
    }

    /// Marks the plan as one that could not be read.
    pub(crate) fn mark_plan_unknown(&self) {
        let _ = self.0.plan.set(Plan::Unknown);
    }

    /// Adds `units` to the usage of the call, such as tokens or pages, for a method that the price
    /// list prices by usage.
    pub fn report_usage(&self, units: u64) {
        let add = |used: u64| Some(used.saturating_add(units));
        // The closure never returns `None`, so the update cannot fail.
        let _ = self.0.usage.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Returns the usage of the call, in units.
    #[must_use]
    pub fn usage(&self) -> u64 {
        self.0.usage.load(Ordering::Relaxed)
    }

    /// Returns the price that the account was charged, once it is known.
    pub(crate) fn charge(&self) -> Option<Money> {
        self.0.charge.get().copied()
    }

    /// Sets the price that the account was charged.
    pub(crate) fn set_charge(&self, price: Money) {
        // A call is settled once.
        let _ = self.0.charge.set(price);
    }

    /// Returns whether the reply was made for another call: it came from the cache, or this call
    /// waited while the other was executed.
    #[must_use]
    pub fn is_cache_hit(&self) -> bool {
        self.0.cache_hit.load(Ordering::Relaxed)
    }

    /// Marks the reply as one that came from the cache.
    pub(crate) fn mark_cache_hit(&self) {
        self.0.cache_hit.store(true, Ordering::Relaxed);
    }

    /// Returns whether the author's method has been called. Until then the call can have had no
    /// effect.
    pub(crate) fn is_dispatched(&self) -> bool {
        self.0.dispatched.load(Ordering::Relaxed)
    }

    /// Marks the author's method as called.
    pub(crate) fn mark_dispatched(&self) {
        self.0.dispatched.store(true, Ordering::Relaxed);
    }

    /// Returns whether the reply is a replay of the stored one, under the same idempotency key
    /// (SEMANTICS §5).
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.0.replayed.load(Ordering::Relaxed)
    }

    /// Marks the reply as a replay.
    pub(crate) fn mark_replayed(&self) {
        self.0.replayed.store(true, Ordering::Relaxed);
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

    /// Updates the header fields of the response, which only calls over HTTP have.
    pub(crate) fn update_response_headers(&self, write: impl FnOnce(&mut HeaderMap)) {
        let headers = self.0.response_headers.get_or_init(Box::default);
        write(&mut headers.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Adds a header field to the response, which only calls over HTTP have.
    pub fn add_response_header(&self, name: HeaderName, value: HeaderValue) {
        self.update_response_headers(|headers| drop(headers.insert(name, value)));
    }

    /// Takes the header fields of the response, for the edge that writes them; empty the next time.
    #[must_use]
    pub fn take_response_headers(&self) -> Option<HeaderMap> {
        let headers = self.0.response_headers.get()?;
        Some(std::mem::take(&mut *headers.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Adds an attempt to the call's record.
    pub fn record(&self, attempt: Attempt) {
        self.0.attempts.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
    }

    /// Returns the provider whose stream is the reply, from the first item on.
    pub(crate) fn streaming_provider(&self) -> Option<&'static str> {
        self.0.streaming_provider.get().copied()
    }

    /// Sets the provider whose stream is the reply; called when its first item is there.
    pub(crate) fn set_streaming_provider(&self, provider: &'static str) {
        // A method may open several streams; the first counts until one has ended.
        let _ = self.0.streaming_provider.set(provider);
    }

    /// Returns the witness to notify before a provider is called, if there is one.
    pub(crate) fn witness(&self) -> Option<&Arc<dyn Witness>> {
        self.0.witness.get()
    }

    /// Sets the witness to notify before a provider is called.
    pub(crate) fn set_witness(&self, witness: Arc<dyn Witness>) {
        // A call has at most one hold.
        let _ = self.0.witness.set(witness);
    }

    /// Calls `read` with the attempts made so far.
    pub fn with_attempts<T>(&self, read: impl FnOnce(&[Attempt]) -> T) -> T {
        read(&self.0.attempts.lock().unwrap_or_else(PoisonError::into_inner))
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
