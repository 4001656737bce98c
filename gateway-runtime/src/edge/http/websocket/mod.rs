//! Calls over one WebSocket: JSON-RPC 2.0, many in flight, answers in any order.
//!
//! `message` reads messages and `jsonrpc` writes answers, `calls` carries out what one message asks, `session` is the
//! connection's life and `ending` its end.

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

/// Limits on one WebSocket, and who may open one.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WebSocketSettings {
    /// Calls in flight on one connection, and requests in one batch: 64. Beyond it calls are answered `overloaded`.
    #[schemars(range(min = 1, max = 100_000))]
    pub calls: usize,
    /// Bytes of one message: 1 MiB.
    pub message_bytes: usize,
    /// Bytes of the inputs of all calls on one connection that have no answer yet: 4 MiB, and at least one message. Beyond
    /// it calls are answered `overloaded`.
    pub input_bytes: usize,
    /// A ping is sent after so long without a word from the client: 20 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub ping_interval: Duration,
    /// The client is given up after so long without a word from it, pongs included: 60 s.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub idle_timeout: Duration,
    /// The origins, besides the gateway's own, whose pages may connect: `https://app.example.com`; `*` is any.
    ///
    /// Browsers let any page open a WebSocket with the user's cookies and network position, and tell only by `Origin`
    /// which page it was. Clients that are no browsers send none, and may always connect.
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

/// The messages of one connection without the connection: for fuzzing alone, and promised to nobody.
#[doc(hidden)]
pub struct Conversation(Calls);

impl Conversation {
    /// A conversation of a client that has no credentials.
    #[must_use]
    pub fn new(edge: &HttpEdge, peer: Peer) -> Self {
        Self(Calls::new(edge.clone(), HeaderMap::new(), peer))
    }

    /// All that is sent because of a message.
    pub fn answer(&mut self, message: &str) -> BoxStream<'static, Bytes> {
        self.0.answer(&message.into())
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation").finish_non_exhaustive()
    }
}

/// 426: the address speaks WebSocket alone.
const UPGRADE_REQUIRED: Code = Code::new("upgrade-required", 426, "Upgrade required");

/// Answers the opening handshake (RFC 6455 §4.2), after which the connection is no longer HTTP.
///
/// # Errors
///
/// `forbidden` for pages of other origins, `invalid-request` where it is not clear which.
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
        // An error means that the client left before it had the answer.
        if let Ok(upgraded) = upgrade.await {
            session.run(ChargedIo::new(upgraded, move || budget.charge(Some(client)))).await;
        }
    });
    Ok(answer.map(|()| Body::empty()))
}

/// Returns a field that must not repeat (RFC 6455 §11.3, RFC 6454 §7.3) and does: which of them counts, whatever stands
/// before the gateway may see otherwise.
fn repeated(headers: &HeaderMap) -> Option<HeaderName> {
    [header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION, header::ORIGIN]
        .into_iter()
        .find(|name| headers.get_all(name).iter().nth(1).is_some())
}

/// Says which protocol and version would do (RFC 9110 §15.5.22, RFC 6455 §4.4).
fn not_opened(error: &Error, instance: &str, moment: &RequestContext) -> Response<Body> {
    let mut response = problem::respond(error, instance, &moment.id).map(Body::from);
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}
