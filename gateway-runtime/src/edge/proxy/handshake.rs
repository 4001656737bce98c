//! The opening handshake of a WebSocket: over HTTP/1.1 the client's own (RFC 6455 §4), over HTTP/2
//! one that the gateway makes for an extended CONNECT (RFC 8441), and checks.

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{
    HeaderValue, Method, Response, StatusCode, Version,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
    request,
    response::Parts,
};
use hyper::{ext::Protocol, upgrade::OnUpgrade};

use crate::{
    base::{body::Body, error::Error},
    edge::proxy::{error, request_head::lists, response_head},
};

/// The text that a server appends to the key (RFC 6455 §1.3).
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The opening handshake of a client.
pub(super) struct Handshake {
    /// The client's connection, or its stream.
    pub(super) client: OnUpgrade,
    /// The value of `Sec-WebSocket-Accept` for the key of the gateway; none for a client's own key,
    /// which the client checks.
    accept: Option<String>,
}

impl Handshake {
    /// Takes the handshake from a request that has no body; none from one that is no handshake. An
    /// extended CONNECT becomes a GET with a key (RFC 8441 §5).
    ///
    /// # Errors
    ///
    /// `invalid-request` for CONNECT to anything but a WebSocket.
    pub(super) fn take(head: &mut request::Parts) -> Result<Option<Self>, Error> {
        if head.method != Method::CONNECT {
            let is_handshake = head.method == Method::GET
                && head.version == Version::HTTP_11
                && lists(&head.headers, CONNECTION, b"upgrade")
                && lists(&head.headers, UPGRADE, b"websocket");
            let client = is_handshake.then(|| head.extensions.remove()).flatten();
            return Ok(client.map(|client| Self { client, accept: None }));
        }
        let protocol = head.extensions.remove::<Protocol>();
        let is_websocket = protocol.is_some_and(|protocol| protocol.as_str() == "websocket");
        let client = head.extensions.remove().filter(|_| is_websocket);
        let client = client.ok_or_else(error::connect_refused)?;
        let key = BASE64_STANDARD.encode(fastrand::u128(..).to_ne_bytes());
        head.method = Method::GET;
        head.headers.entry(SEC_WEBSOCKET_VERSION).or_insert(HeaderValue::from_static("13"));
        if let Ok(key) = HeaderValue::from_str(&key) {
            head.headers.insert(SEC_WEBSOCKET_KEY, key);
        }
        Ok(Some(Self { client, accept: Some(accept_of(&key)) }))
    }

    /// Returns the response that switches the client's connection, from the instance's; none for a
    /// response that refuses the handshake, which is an ordinary one.
    ///
    /// # Errors
    ///
    /// `upstream-failed` if the instance switches to another protocol than the one requested, or
    /// accepts another key than the gateway's. A success without a switch is an ordinary response
    /// on HTTP/1.1 alone: over HTTP/2 it would open the tunnel.
    pub(super) fn accept(&self, head: &Parts) -> Result<Option<Response<Body>>, Error> {
        if head.status != StatusCode::SWITCHING_PROTOCOLS {
            if self.accept.is_some() && head.status.is_success() {
                return Err(error::malformed("the response to a handshake is another success"));
            }
            return Ok(None);
        }
        let protocol = head.headers.get(UPGRADE).map(HeaderValue::as_bytes);
        if !protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket")) {
            return Err(error::malformed("the response switches to another protocol"));
        }
        let mut head = head.clone();
        response_head::strip(&mut head, &Method::GET);
        if let Some(accept) = &self.accept {
            let accepted = head.headers.remove(SEC_WEBSOCKET_ACCEPT);
            if accepted.is_none_or(|accepted| accepted != **accept) {
                return Err(error::malformed("the response accepts another handshake"));
            }
            head.status = StatusCode::OK;
        } else {
            head.headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            head.headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        Ok(Some(response))
    }
}

/// Returns the value of `Sec-WebSocket-Accept` for a key (RFC 6455 §4.2.2).
fn accept_of(key: &str) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY);
    context.update(key.as_bytes());
    context.update(GUID);
    BASE64_STANDARD.encode(context.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_of_returns_the_example_of_rfc_6455() {
        assert_eq!(accept_of("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
