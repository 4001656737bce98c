//! What an edge knows when a call begins, and what the call brings.

use std::{net::IpAddr, time::Instant};

use bytes::Bytes;
use http::HeaderMap;

use crate::{
    base::{call::RequestId, country::Country},
    json::document::Document,
};

/// By what road a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An HTTP request.
    Http,
    /// A message on a WebSocket.
    WebSocket,
    /// A webhook.
    Webhook,
    /// A message of the bus.
    Bus,
    /// The gateway's own: an answer in the cache is made anew, on nobody's account.
    Cache,
}

impl Origin {
    /// As it stands in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::WebSocket => "ws",
            Self::Webhook => "webhook",
            Self::Bus => "bus",
            Self::Cache => "cache",
        }
    }
}

/// What an edge knows when a call begins.
#[derive(Debug)]
pub struct CallContext {
    /// The call's name.
    pub id: RequestId,
    /// The road.
    pub origin: Origin,
    /// The client's address.
    pub peer: Option<IpAddr>,
    /// Where the client is, if whoever stands before the gateway says so in a header that the operator trusts.
    pub country: Option<Country>,
    /// The request's header fields.
    pub headers: HeaderMap,
    /// When it came.
    pub started: Instant,
    /// When it must be answered.
    pub deadline: Instant,
}

/// What a call brings, before and after it has been judged by the schema.
#[derive(Debug, Default)]
pub enum Input {
    /// Nothing, or already taken.
    #[default]
    None,
    /// A JSON text, not looked at yet.
    Json(Bytes),
    /// A query string, not looked at yet.
    Query(Box<str>),
    /// A JSON value, not judged yet.
    Value(Document),
    /// A document that satisfies the schema.
    Valid(Document),
}
