//! One call, whatever it came by: who, what, until when, and what became of it.

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

/// What is known of one call; cheap to clone, and can be asked for as an argument.
///
/// Everything in it belongs to this call and to no other.
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

/// What is known of the plan of a caller's account.
enum Plan {
    /// None where there is no such account.
    Known(Option<Arc<str>>),
    Unknown,
}

impl Call {
    /// A call of `method`, by an edge.
    #[must_use]
    pub fn new(
        service: &'static ServiceSpec,
        method: &'static MethodSpec,
        arrival: CallContext,
    ) -> Self {
        let CallContext { id, origin, peer, country, headers, started, deadline } = arrival;
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

    /// The call's name.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        &self.0.id
    }

    /// What tells this call from all others, also from those to which their caller gave the same id.
    pub(crate) fn nonce(&self) -> u64 {
        self.0.nonce
    }

    /// By what road it came.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &'static ServiceSpec {
        self.0.service
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &'static MethodSpec {
        self.0.method
    }

    /// The client's address.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.0.peer
    }

    /// Where the client is, if that is known.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        self.0.country
    }

    /// The request's header fields.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The trace id of a valid `traceparent` (W3C Trace Context §3.2): 32 lower-case hexadecimal digits, not all of them 0.
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

    /// When it came.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.0.started
    }

    /// When it must be answered.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.0.deadline
    }

    /// Who is calling; a stranger until [`identify`](Self::identify) says otherwise.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        static STRANGER: LazyLock<Caller> = LazyLock::new(Caller::default);
        self.0.caller.get().unwrap_or(&STRANGER)
    }

    /// Says who is calling, once; for what authenticates.
    ///
    /// # Errors
    ///
    /// Gives the caller back when one is known already.
    pub fn identify(&self, caller: Caller) -> Result<(), Caller> {
        self.0.caller.set(caller)
    }

    /// The plan of the caller's account, where prices or limits tell plans apart.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        match self.0.plan.get()? {
            Plan::Known(plan) => plan.as_deref(),
            Plan::Unknown => None,
        }
    }

    /// Says what the plan is; none where there is no such account.
    pub(crate) fn set_plan(&self, plan: Option<Arc<str>>) {
        // It is asked for once.
        let _ = self.0.plan.set(Plan::Known(plan));
    }

    /// Whether the plan could not be found out.
    pub(crate) fn is_plan_unknown(&self) -> bool {
        matches!(self.0.plan.get(), Some(Plan::Unknown))
    }

    /// Says that the plan could not be found out.
    pub(crate) fn mark_plan_unknown(&self) {
        let _ = self.0.plan.set(Plan::Unknown);
    }

    /// Says that the call has used so many more units of what its price is for, where the price list prices it by usage:
    /// tokens, pages.
    pub fn report_usage(&self, units: u64) {
        let add = |used: u64| Some(used.saturating_add(units));
        // It always adds.
        let _ = self.0.usage.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// How many units it has used.
    #[must_use]
    pub fn usage(&self) -> u64 {
        self.0.usage.load(Ordering::Relaxed)
    }

    /// Returns the price that its account was charged, once that is known.
    pub(crate) fn charge(&self) -> Option<Money> {
        self.0.charge.get().copied()
    }

    /// Sets the price that its account was charged.
    pub(crate) fn set_charge(&self, price: Money) {
        // A call is settled once.
        let _ = self.0.charge.set(price);
    }

    /// Whether its answer was made for another call: it comes out of the cache, or this call waited while it was made.
    #[must_use]
    pub fn is_cache_hit(&self) -> bool {
        self.0.cache_hit.load(Ordering::Relaxed)
    }

    /// Says that its answer came from the cache.
    pub(crate) fn mark_cache_hit(&self) {
        self.0.cache_hit.store(true, Ordering::Relaxed);
    }

    /// Whether the author's method has been called. Until then nothing of the call can have had an effect.
    pub(crate) fn is_dispatched(&self) -> bool {
        self.0.dispatched.load(Ordering::Relaxed)
    }

    /// Notes that the author's method is called.
    pub(crate) fn mark_dispatched(&self) {
        self.0.dispatched.store(true, Ordering::Relaxed);
    }

    /// Whether its answer was given before, under the same idempotency key.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.0.replayed.load(Ordering::Relaxed)
    }

    /// Says that its answer was given before.
    pub(crate) fn mark_replayed(&self) {
        self.0.replayed.store(true, Ordering::Relaxed);
    }

    /// The call that makes the same answer anew, from now on and in as much time: not its client's, but the gateway's.
    pub(crate) fn for_revalidation(&self) -> Self {
        // The clock that deadlines go by.
        let started = tokio::time::Instant::now().into_std();
        let arrival = CallContext {
            id: self.id().clone(),
            origin: Origin::Cache,
            peer: self.peer(),
            country: self.country(),
            headers: self.headers().clone(),
            started,
            deadline: started + (self.deadline() - self.started()),
        };
        let anew = Self::new(self.service(), self.method(), arrival);
        // Nothing is known of it yet.
        let _ = anew.identify(self.caller().clone());
        anew
    }

    /// Writes header fields that are to stand in the response, if there is one: over HTTP.
    pub(crate) fn update_response_headers(&self, write: impl FnOnce(&mut HeaderMap)) {
        let headers = self.0.response_headers.get_or_init(Box::default);
        write(&mut headers.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Has a header field stand in the response, if there is one: over HTTP.
    pub fn add_response_header(&self, name: HeaderName, value: HeaderValue) {
        self.update_response_headers(|headers| drop(headers.insert(name, value)));
    }

    /// What is to stand in the response, for the edge that writes it; given once.
    #[must_use]
    pub fn take_response_headers(&self) -> Option<HeaderMap> {
        let headers = self.0.response_headers.get()?;
        Some(std::mem::take(&mut *headers.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Adds an attempt to the call's record.
    pub fn record(&self, attempt: Attempt) {
        self.0.attempts.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
    }

    /// The provider whose stream is the answer, from its first item on.
    pub(crate) fn streaming_provider(&self) -> Option<&'static str> {
        self.0.streaming_provider.get().copied()
    }

    /// Says that the first item of a provider's stream is there.
    pub(crate) fn set_streaming_provider(&self, provider: &'static str) {
        // A method may ask for several streams; the first counts until one has ended.
        let _ = self.0.streaming_provider.set(provider);
    }

    /// What must know which provider is about to be asked, if anything must.
    pub(crate) fn witness(&self) -> Option<&Arc<dyn Witness>> {
        self.0.witness.get()
    }

    /// Says what must know which provider is about to be asked.
    pub(crate) fn set_witness(&self, witness: Arc<dyn Witness>) {
        // A call has money set aside once.
        let _ = self.0.witness.set(witness);
    }

    /// Reads the attempts made until now.
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

/// What runs through the pipeline: a call and its input.
#[derive(Debug)]
pub struct CallRequest {
    /// What is known of the call.
    pub call: Call,
    /// What it brings.
    pub input: Input,
}
