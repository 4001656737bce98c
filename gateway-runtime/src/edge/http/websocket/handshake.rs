//! The opening handshake of a WebSocket (RFC 6455 §4.2), which ends HTTP on its connection, or over
//! HTTP/2 on its stream (RFC 8441).

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Version, header};
use hyper::body::Incoming;
use tokio_tungstenite::tungstenite::handshake::server::create_response;

use crate::{
    base::{
        body::Body,
        error::{Code, Error},
        problem,
    },
    edge::http::{
        connection::ClientConnection,
        request_context::RequestContext,
        state::HttpEdge,
        websocket::{calls::Calls, charged::ChargedIo, origin, session::Session},
    },
};

/// 426: the address supports WebSocket only.
const UPGRADE_REQUIRED: Code = Code::new("upgrade-required", 426, "Upgrade required");

/// Responds to the opening handshake (RFC 6455 §4.2), after which the connection is no longer HTTP.
///
/// # Errors
///
/// `forbidden` for a page of another origin. Other faults of the handshake are responses: 426 or
/// 400.
pub(in crate::edge::http) fn open(
    edge: &HttpEdge,
    request: Request<Incoming>,
    moment: &RequestContext,
) -> Result<Response<Body>, Error> {
    let settings = &edge.settings().websocket;
    let is_connect = request.method() == Method::CONNECT;
    let is_upgrade =
        request.version() == Version::HTTP_11 && request.headers().contains_key(header::UPGRADE);
    if !is_upgrade && !is_connect {
        let error = Error::new(
            UPGRADE_REQUIRED,
            "upgrade required; open a WebSocket over HTTP/1.1 (RFC 6455) or HTTP/2 (RFC 8441)",
        );
        return Ok(not_opened(&error, request.uri().path(), moment));
    }
    if let Some(name) = repeated(request.headers()) {
        let error = Error::new(
            Code::INVALID_REQUEST,
            format!("duplicate field `{name}` in the opening handshake"),
        );
        return Ok(not_opened(&error, request.uri().path(), moment));
    }
    origin::check(request.headers(), request.uri(), &settings.origins)?;
    let (parts, body) = request.into_parts();
    drop(body);
    let mut request = Request::from_parts(parts, ());
    let accepted = match is_connect {
        true => accept_connect(request.headers()),
        false => create_response(&request).map_err(|why| why.to_string()),
    };
    let mut answer = match accepted {
        Ok(answer) => answer,
        Err(why) => {
            let error = Error::new(
                Code::INVALID_REQUEST,
                format!("invalid opening handshake of a WebSocket: {why}"),
            );
            return Ok(not_opened(&error, request.uri().path(), moment));
        }
    };
    let connection = ClientConnection::new(&moment.peer, request.version(), &mut answer);

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
        // An HTTP/2 connection with a WebSocket is in use until here.
        drop(connection);
    });
    Ok(answer.map(|()| Body::empty()))
}

/// Accepts a handshake over HTTP/2, which has a version and no key (RFC 8441 §5).
fn accept_connect(headers: &HeaderMap) -> Result<Response<()>, String> {
    match headers.get(header::SEC_WEBSOCKET_VERSION) {
        Some(version) if version == "13" => Ok(Response::new(())),
        _ => Err("the version is not 13".to_owned()),
    }
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
