//! The problems of requests that were not forwarded, or that got no response.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use http::Method;

use crate::{
    base::error::{Code, Error},
    edge::dispatch::no_reply_error,
};

/// 502: no connection to an instance could be opened; nothing was sent.
const UNREACHABLE: Code =
    Code::new("upstream-unreachable", 502, "Upstream unreachable").retryable();
/// 502: the instance's response is malformed or was cut before its head was complete.
const FAILED: Code = Code::new("upstream-failed", 502, "Upstream failed");
/// 503: the upstream has no instance.
const NO_INSTANCE: Code = Code::new("no-instance", 503, "No instance").retryable();
/// The time after which a request that was shed, or found no instance, may be sent again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// 508: the request has passed this gateway already (RFC 9110 §7.6.3, RFC 5842 §7.2).
const LOOP: Code = Code::new("loop-detected", 508, "Loop detected");

/// Returns the error of a request whose instances cannot be connected to.
pub(super) fn unreachable(reason: String) -> Error {
    Error::new(UNREACHABLE, "the service cannot be reached; nothing was sent")
        .with_log_message(reason)
}

/// Returns the error of an upstream without instances.
pub(super) fn no_instance() -> Error {
    Error::new(NO_INSTANCE, "the service has no instance; nothing was sent")
        .with_retry_after(RETRY_AFTER)
}

/// Returns the error of a request that has no place at an instance, and did not wait or waited for
/// too long.
pub(super) fn shed() -> Error {
    Error::new(Code::OVERLOADED, "all instances of the service are busy; nothing was sent")
        .with_retry_after(RETRY_AFTER)
}

/// Returns the error of a request for which this machine has no descriptor, port or memory left.
pub(super) fn overloaded(reason: String) -> Error {
    Error::new(Code::OVERLOADED, "the gateway cannot open a connection; nothing was sent")
        .with_log_message(reason)
}

/// Returns whether a connection failed by this machine's fault and not the instance's: no
/// descriptor (EMFILE, ENFILE), no port (EADDRNOTAVAIL), no buffer (ENOBUFS) or no memory.
pub(super) fn is_local(error: &io::Error) -> bool {
    /// The numbers of EMFILE and ENFILE on all Unix systems, and of ENOBUFS on Linux and BSD.
    const EXHAUSTED: [i32; 4] = [24, 23, 105, 55];
    matches!(error.kind(), ErrorKind::AddrNotAvailable | ErrorKind::OutOfMemory)
        || error.raw_os_error().is_some_and(|number| EXHAUSTED.contains(&number))
}

/// Returns the error of a response that is malformed.
pub(super) fn malformed(reason: impl std::fmt::Display) -> Error {
    Error::new(FAILED, "the service's response is malformed").with_log_message(reason)
}

/// Returns the error of a request whose connection ended before the head of the response.
pub(super) fn cut(reason: String) -> Error {
    Error::new(FAILED, "the service closed the connection before it had answered")
        .with_log_message(reason)
}

/// Returns the error of an instance that is too slow.
pub(super) fn too_slow(method: &Method) -> Error {
    no_reply_error(method).with_log_message("the instance did not answer in time")
}

/// Returns the error of a client whose body is malformed.
pub(super) fn malformed_request() -> Error {
    Error::new(Code::INVALID_REQUEST, "the body of the request is malformed")
}

/// Returns the error of a method that is not forwarded: a tunnel to anywhere.
pub(super) fn connect_refused() -> Error {
    Error::new(Code::INVALID_REQUEST, "CONNECT is not supported")
}

/// Returns the error of a client that stops sending its request.
pub(super) fn stalled_upload() -> Error {
    Error::new(Code::REQUEST_TIMEOUT, "the rest of the request did not arrive in time")
}

/// Returns the error of a request that has passed this gateway already.
pub(super) fn looped() -> Error {
    Error::new(LOOP, "the upstream of this route leads back to this gateway")
}
