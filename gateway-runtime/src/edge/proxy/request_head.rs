//! The head of a forwarded request: the client's end-to-end fields, and the fields that are the
//! gateway's to write.

use std::{net::IpAddr, sync::LazyLock};

use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Version,
    header::{
        CONNECTION, CONTENT_LENGTH, COOKIE, FORWARDED, HOST, TE, TRAILER, TRANSFER_ENCODING,
        UPGRADE, VIA,
    },
    request::Parts,
    uri::{PathAndQuery, Uri},
};
use http_body::Body as _;

use crate::{
    base::{
        call::{Caller, RequestId},
        error::{Code, Error},
    },
    edge::{
        dispatch::hop_by_hop::{caller_fields, remove_hop_by_hop},
        proxy::{
            error,
            trailers::{self, FORWARDED_PREFIX},
            upload::Upload,
        },
        request::request_id::REQUEST_ID,
    },
};

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// The name of this process in `Via`, by which it recognises its own requests (RFC 9110 §7.6.3).
static PSEUDONYM: LazyLock<String> =
    LazyLock::new(|| format!("gateway-{:016x}", fastrand::u64(..)));

/// The parts of a request that the forwarded head states, besides the client's head.
pub(super) struct Origin<'o> {
    pub(super) peer: IpAddr,
    pub(super) id: &'o RequestId,
    pub(super) caller: &'o Caller,
    /// The fields that the instance does not receive.
    pub(super) withheld: &'static [HeaderName],
}

/// Creates the forwarded request. `rest` is the path after the route, and `Host` is not set yet:
/// it is the instance's.
///
/// # Errors
///
/// `loop-detected` for a request that has passed this gateway already.
pub(super) fn forwarded(
    mut head: Parts,
    rest: &str,
    body: Upload,
    is_websocket: bool,
    origin: &Origin<'_>,
) -> Result<Request<Upload>, Error> {
    let has_passed = |via: &HeaderValue| {
        let hops = via.as_bytes().windows(PSEUDONYM.len());
        hops.into_iter().any(|hop| hop == PSEUDONYM.as_bytes())
    };
    if head.headers.get_all(VIA).iter().any(has_passed) {
        return Err(error::looped());
    }
    let uri = target(rest, head.uri.query())?;
    // RFC 9110 §10.1.4.
    let takes_trailers = lists(&head.headers, TE, b"trailers");
    let trailer = trailers::announced(&head.headers);
    let declares_empty = head.headers.contains_key(CONTENT_LENGTH);
    let host = match head.uri.authority() {
        // An absolute target or `:authority` wins over `Host` (RFC 9112 §3.2.2).
        Some(authority) => HeaderValue::from_str(authority.as_str()).ok(),
        None => head.headers.get(HOST).cloned(),
    };
    let headers = &mut head.headers;
    strip(headers);
    for name in origin.withheld {
        headers.remove(name);
    }
    for (name, value) in caller_fields(origin.caller) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    join_cookies(headers);
    frame(headers, &body, declares_empty, trailer);
    if let Some(host) = host {
        headers.insert(&X_FORWARDED_HOST, host);
    }
    if let Ok(peer) = HeaderValue::from_str(&origin.peer.to_string()) {
        headers.insert(&X_FORWARDED_FOR, peer);
    }
    headers.insert(&X_FORWARDED_PROTO, HeaderValue::from_static("http"));
    headers.insert(REQUEST_ID, origin.id.header());
    if let Ok(hop) = HeaderValue::from_str(&via(head.version)) {
        headers.append(VIA, hop);
    }
    if is_websocket {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    } else if takes_trailers {
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    let mut request = Request::new(body);
    *request.method_mut() = head.method;
    *request.uri_mut() = uri;
    *request.headers_mut() = head.headers;
    Ok(request)
}

/// Returns the target in origin form (RFC 9112 §3.2.1): the path after the route and the query,
/// byte for byte.
fn target(rest: &str, query: Option<&str>) -> Result<Uri, Error> {
    let mut text = String::with_capacity(rest.len() + query.map_or(0, |query| query.len() + 1) + 1);
    if !rest.starts_with('/') {
        text.push('/');
    }
    text.push_str(rest);
    if let Some(query) = query {
        text.push('?');
        text.push_str(query);
    }
    let target = PathAndQuery::from_maybe_shared(bytes::Bytes::from(text));
    target.map(Uri::from).map_err(|_| Error::new(Code::INVALID_REQUEST, "the path is not valid"))
}

/// Returns the entry of this gateway in `Via`, with the version in which the request was received.
fn via(version: Version) -> String {
    let received = match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2.0",
        _ => "1.1",
    };
    format!("{received} {}", *PSEUDONYM)
}

/// Removes the fields that are not forwarded: hop-by-hop and framing fields, and those that only
/// the gateway writes.
fn strip(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers, |name| {
        *name == HOST
            || *name == FORWARDED
            || *name == X_REAL_IP
            || *name == REQUEST_ID
            || name.as_str().starts_with(FORWARDED_PREFIX)
            || is_respelled(name)
    });
}

/// Returns whether a field has underscores in the place of the hyphens of a field that is the
/// gateway's to write: to CGI and its descendants the two are one name (RFC 3875 §4.1.18).
fn is_respelled(name: &HeaderName) -> bool {
    if !name.as_str().contains('_') {
        return false;
    }
    let name = name.as_str().replace('_', "-");
    name.starts_with(FORWARDED_PREFIX)
        || name.starts_with("x-gateway-")
        || [X_REAL_IP.as_str(), REQUEST_ID.as_str(), "content-length", "transfer-encoding"]
            .contains(&&*name)
}

/// Joins the lines of `Cookie` that HTTP/2 may split (RFC 9113 §8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut lines = headers.get_all(COOKIE).iter();
    if lines.next().is_none() || lines.next().is_none() {
        return;
    }
    let lines: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

/// Writes the framing fields of the body: its length if it is known, otherwise `chunked`. The
/// library would send a GET of unknown length without its body.
fn frame(
    headers: &mut HeaderMap,
    body: &Upload,
    declares_empty: bool,
    trailer: Option<HeaderValue>,
) {
    match body.size_hint().exact() {
        Some(0) if !declares_empty => {}
        Some(length) => drop(headers.insert(CONTENT_LENGTH, length.into())),
        None => {
            headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            if let Some(trailer) = trailer {
                headers.insert(TRAILER, trailer);
            }
        }
    }
}

/// Returns whether the values of a field list `token`, in any case.
pub(super) fn lists(headers: &HeaderMap, name: HeaderName, token: &[u8]) -> bool {
    let mut tokens =
        headers.get_all(name).iter().flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    tokens.any(|one| one.trim_ascii().eq_ignore_ascii_case(token))
}
