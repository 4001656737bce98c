//! Calls over one WebSocket (SEMANTICS §1): JSON-RPC 2.0, many calls in flight, answers in any
//! order.
//!
//! - `message` parses the client's messages, and `jsonrpc` writes responses.
//! - `calls` executes the calls of a message.
//! - `session` runs the connection, and `ending` closes it.
//! - `origin` checks the page that opens it.
//! - `charged` bounds the bytes of incomplete messages.
//! - `raw` splits JSON texts without decoding them.

mod calls;
mod charged;
mod ending;
mod jsonrpc;
mod message;
mod origin;
mod raw;
mod session;

use std::{fmt, time::Duration};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Version, header};
use hyper::body::Incoming;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio_tungstenite::tungstenite::handshake::server::create_response;

use crate::{
    base::{
        body::Body,
        duration::{self, DurationText},
        error::{Code, Error},
        problem,
    },
    edge::http::{
        Peer,
        handler::{HttpEdge, RequestContext},
        websocket::{calls::Calls, charged::ChargedIo, session::Session},
    },
};

/// Limits of one WebSocket, and the origins that may open one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebSocketSettings {
    /// Maximum of calls in flight on one connection, and of requests in one batch: 64. Calls beyond
    /// it fail with `overloaded`.
    #[schemars(range(min = 1, max = 100_000))]
    pub calls: usize,
    /// Maximum size of one message, in bytes: 1 MiB.
    pub message_bytes: usize,
    /// Maximum of the inputs of all calls on one connection that have no reply yet, in bytes: 4
    /// MiB, and at least one message. Calls beyond it fail with `overloaded`.
    pub input_bytes: usize,
    /// Silence of the client after which a ping is sent: 20 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub ping_interval: Duration,
    /// Silence of the client, pongs included, after which the connection is closed: 60 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub idle_timeout: Duration,
    /// Origins, in addition to the gateway's own, whose pages may connect:
    /// `https://app.example.com`; `*` allows any.
    ///
    /// Browsers let any page open a WebSocket with the user's cookies and network position; only
    /// `Origin` identifies the page. Clients other than browsers send no `Origin`, and may always
    /// connect.
    pub origins: Vec<String>,
}

impl Default for WebSocketSettings {
    fn default() -> Self {
        Self {
            calls: 64,
            message_bytes: 1024 * 1024,
            input_bytes: 4 * 1024 * 1024,
            ping_interval: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            origins: Vec::new(),
        }
    }
}

/// The messages of one connection without the connection. For fuzzing only, and not a stable API.
#[doc(hidden)]
pub struct Conversation(Calls);

impl Conversation {
    /// Creates a conversation of a client without credentials.
    #[must_use]
    pub fn new(edge: &HttpEdge, peer: Peer) -> Self {
        Self(Calls::new(edge.clone(), HeaderMap::new(), peer))
    }

    /// Returns everything that is sent because of a message.
    pub fn answer(&mut self, message: &str) -> BoxStream<'static, Bytes> {
        self.0.answer(&message.into())
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation").finish_non_exhaustive()
    }
}

/// 426: the address supports WebSocket only.
const UPGRADE_REQUIRED: Code = Code::new("upgrade-required", 426, "Upgrade required");

/// Responds to the opening handshake (RFC 6455 §4.2), after which the connection is no longer HTTP.
///
/// # Errors
///
/// `forbidden` for a page of another origin. Other faults of the handshake are responses: 426 or
/// 400.
pub(super) fn open(
    edge: &HttpEdge,
    request: Request<Incoming>,
    moment: &RequestContext,
) -> Result<Response<Body>, Error> {
    let settings = &edge.settings().websocket;
    if request.version() != Version::HTTP_11 || !request.headers().contains_key(header::UPGRADE) {
        let error =
            Error::new(UPGRADE_REQUIRED, "this address speaks WebSocket (RFC 6455) over HTTP/1.1");
        return Ok(not_opened(&error, request.uri().path(), moment));
    }
    if let Some(name) = repeated(request.headers()) {
        let error = Error::new(
            Code::INVALID_REQUEST,
            format!("`{name}` stands twice in the opening handshake"),
        );
        return Ok(not_opened(&error, request.uri().path(), moment));
    }
    origin::check(request.headers(), request.uri(), &settings.origins)?;
    let (parts, body) = request.into_parts();
    drop(body);
    let mut request = Request::from_parts(parts, ());
    let answer = match create_response(&request) {
        Ok(answer) => answer,
        Err(why) => {
            let error = Error::new(
                Code::INVALID_REQUEST,
                format!("no opening handshake of a WebSocket: {why}"),
            );
            return Ok(not_opened(&error, request.uri().path(), moment));
        }
    };

    let upgrade = hyper::upgrade::on(&mut request);
    let peer = moment.peer.clone();
    let calls = Calls::new(edge.clone(), request.into_parts().0.headers, peer.clone());
    let drain_timeout = edge.settings().drain_timeout;
    let budget = edge.budget().clone();
    let client = peer.address().ip();
    let session = Session { calls, peer, settings: settings.clone(), drain_timeout };
    tokio::spawn(async move {
        // An error means that the client disconnected before the response.
        if let Ok(upgraded) = upgrade.await {
            session.run(ChargedIo::new(upgraded, move || budget.charge(Some(client)))).await;
        }
    });
    Ok(answer.map(|()| Body::empty()))
}

/// Returns a field that is repeated and must not be (RFC 6455 §11.3, RFC 6454 §7.3): a proxy in
/// front of the gateway might use a different occurrence.
fn repeated(headers: &HeaderMap) -> Option<HeaderName> {
    [header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION, header::ORIGIN]
        .into_iter()
        .find(|name| headers.get_all(name).iter().nth(1).is_some())
}

/// Creates the response to a failed handshake, with the protocol and version that the gateway
/// supports (RFC 9110 §15.5.22, RFC 6455 §4.4).
fn not_opened(error: &Error, instance: &str, moment: &RequestContext) -> Response<Body> {
    let mut response = problem::respond(error, instance, &moment.id).map(Body::from);
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}
