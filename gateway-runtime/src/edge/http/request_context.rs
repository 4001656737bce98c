//! The context of a request: when it came, from whom, and its id.

use std::time::Instant;

use http::HeaderValue;

use crate::{
    base::{
        call::{Origin, RequestId},
        error::{Code, Error},
    },
    edge::http::Peer,
};

/// When a request came, from whom, and what it is called.
#[derive(Debug)]
pub(super) struct RequestContext {
    pub(super) id: RequestId,
    pub(super) peer: Peer,
    pub(super) started: Instant,
}

impl RequestContext {
    /// A request that is here now, under the name that its client gave it if that is sane.
    pub(super) fn now(id: Option<&HeaderValue>, peer: Peer) -> Self {
        let id = id.and_then(RequestId::from_header).unwrap_or_else(RequestId::generate);
        Self { id, peer, started: Instant::now() }
    }

    /// The line of a request that did not become a call; calls have the pipeline's.
    pub(super) fn log(&self, error: &Error, origin: Origin, asked: std::fmt::Arguments<'_>) {
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "gateway::request",
                    request_id = self.id.as_str(),
                    origin = origin.as_str(),
                    asked,
                    status = error.code().status(),
                    code = error.code().name(),
                    duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX),
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
