//! The context of a request: its id, the peer that sent it, and the time at which it came.

use std::time::Instant;

use http::{HeaderValue, Method};

use crate::{
    base::{
        call::{Origin, RequestId},
        error::{Code, Error},
    },
    edge::http::Peer,
};

/// The id, the peer and the start time of a request.
#[derive(Debug)]
pub(super) struct RequestContext {
    pub(super) id: RequestId,
    pub(super) peer: Peer,
    pub(super) started: Instant,
}

impl RequestContext {
    /// Creates the context of a request that comes now. The id is the client's `X-Request-Id` if
    /// that is valid, otherwise a new one.
    pub(super) fn now(id: Option<&HeaderValue>, peer: Peer) -> Self {
        let id = id.and_then(RequestId::from_header).unwrap_or_else(RequestId::generate);
        Self { id, peer, started: Instant::now() }
    }

    /// Writes the access log line of a request that did not become a call. Calls have the line of
    /// the pipeline. `head` is the method and the path, if they could be read.
    pub(super) fn log(&self, error: &Error, origin: Origin, head: Option<(&Method, &str)>) {
        let duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "gateway::request",
                    request_id = self.id.as_str(),
                    origin = origin.as_str(),
                    http.request.method = head.map(|(method, _)| method.as_str()),
                    url.path = head.map(|(_, path)| path),
                    status = error.code().status(),
                    code = error.code().name(),
                    duration_us,
                    peer = %self.peer.address().ip(),
                    detail = error.detail(),
                    internal = error.log_message(),
                    "refused"
                )
            };
        }
        if error.code() == Code::INTERNAL { line!(error) } else { line!(info) }
    }
}
