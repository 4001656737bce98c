//! The context and the input of a call, as an edge passes them on.

use std::{net::IpAddr, time::Instant};

use bytes::Bytes;
use http::HeaderMap;

use crate::{
    base::{call::RequestId, country::Country},
    json::document::Document,
};

/// The transport by which a call came.
///
/// ```
/// use gateway_runtime::{Origin, prelude::*};
///
/// #[service]
/// struct Accounts;
///
/// #[service]
/// impl Accounts {
///     /// Closes the caller's account; for calls over the bus alone.
///     #[expose_method(POST)]
///     async fn close(&self, call: Call) -> Result<()> {
///         if call.origin() != Origin::Bus {
///             return Err(Error::new(Code::FORBIDDEN, "accounts are closed over the bus only"));
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
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
    /// A call of the gateway itself, charged to no account, which revalidates a cached reply.
    Cache,
}

impl Origin {
    /// Returns the origin as it stands in the log.
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

/// The context of a call, as far as it is known when the call begins.
#[derive(Debug)]
pub struct CallContext {
    /// Request id of the call.
    pub id: RequestId,
    /// Transport by which the call came.
    pub origin: Origin,
    /// Address of the client.
    pub peer: Option<IpAddr>,
    /// Country of the client, if the proxy in front of the gateway reports it in a header field
    /// that the operator trusts.
    pub country: Option<Country>,
    /// Header fields of the request.
    pub headers: HeaderMap,
    /// Time at which the call began.
    pub started: Instant,
    /// Time by which the call must be answered.
    pub deadline: Instant,
}

/// The input of a call, before and after validation against the schema.
///
/// A [layer](crate::Gateway::layer) before validation receives the input as it was sent:
///
/// ```
/// use gateway_runtime::{Input, pipeline::{Invocation, LayerPosition}};
/// use tower::util::MapRequestLayer;
///
/// /// Returns the length of the text that the client has sent.
/// fn sent_bytes(input: &Input) -> usize {
///     match input {
///         Input::Json(text) => text.len(),
///         Input::Query(text) => text.len(),
///         // Parsed already: from a message of the bus, or by validation.
///         Input::Value(_) | Input::Valid(_) | Input::None => 0,
///     }
/// }
///
/// # fn add(gateway: gateway_runtime::Gateway) -> gateway_runtime::Gateway {
/// gateway.layer(LayerPosition::AfterAuthentication, MapRequestLayer::new(|call: Invocation| {
///     tracing::debug!(bytes = sent_bytes(&call.request.input), "input received");
///     call
/// }))
/// # }
/// # assert_eq!(sent_bytes(&Input::Json("{}".into())), 2);
/// ```
#[derive(Debug, Default)]
pub enum Input {
    /// Missing input, or an input that has been taken.
    #[default]
    None,
    /// A JSON text, not parsed yet.
    Json(Bytes),
    /// A query string, not parsed yet.
    Query(Box<str>),
    /// A JSON value, not validated yet.
    Value(Document),
    /// A document that satisfies the schema.
    Valid(Document),
}
