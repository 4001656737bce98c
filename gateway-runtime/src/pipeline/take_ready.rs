//! The inner service that was polled ready, for layers whose call outlives `Service::call`.
//!
//! Readiness belongs to one service and not to its clones, which may have to wait or panic (the
//! contract of [`tower::Service`], "Be careful when cloning inner services").

/// Takes the service that is ready, and leaves a clone in its place.
pub(in crate::pipeline) fn take_ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    std::mem::replace(inner, clone)
}
