//! The message of a request: exchange, routing key and headers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use percent_encoding::percent_decode_str;

use crate::{
    base::{
        call::{Caller, RequestId},
        error::{Code, Error},
    },
    bus::{Message, MessageHeader, MessageHeaders, ShortStr},
    edge::{
        bus_dispatch::{headers, settings::BusDispatchSettings},
        dispatch::{self, hop_by_hop},
    },
};

impl BusDispatchSettings {
    /// Returns the exchange for a service.
    ///
    /// # Errors
    ///
    /// `not-found` for a service without an exchange.
    pub(super) fn exchange_of(&self, service: &str) -> Result<ShortStr, Error> {
        let exchange = self
            .exchange
            .as_ref()
            .or_else(|| self.exchanges.iter().find(|listed| *listed == service));
        let nothing = || Error::not_found("not found");
        exchange.map(|exchange| exchange.clone().into()).ok_or_else(nothing)
    }
}

/// Creates the message of a request, without its body and without the fields `withheld`.
///
/// # Errors
///
/// `invalid-request` for a path without a routing key and for an upgrade, `not-acceptable` for a
/// request that accepts event streams only.
pub(super) fn message(
    exchange: ShortStr,
    head: &Parts,
    id: &RequestId,
    caller: &Caller,
    withheld: &[HeaderName],
) -> Result<Message, Error> {
    refuse_streams(&head.headers)?;
    let key = key(dispatch::split(head.uri.path()).1)?;
    let text = |name: HeaderName| {
        head.headers.get(name)?.to_str().ok().map(|text| ShortStr::Owned(text.to_owned()))
    };
    Ok(Message {
        message_id: Some(id.as_str().to_owned().into()),
        content_type: text(header::CONTENT_TYPE)
            .filter(|media| media.len() <= Message::MAX_NAME_BYTES),
        content_encoding: text(header::CONTENT_ENCODING)
            .filter(|coding| coding.len() <= Message::MAX_NAME_BYTES),
        headers: headers(head, id, caller, withheld),
        ..Message::new(exchange, key)
    })
}

/// Returns the routing key: the path after the service, its segments decoded and joined by dots.
fn key(rest: &str) -> Result<String, Error> {
    let refuse = |why| Err(Error::new(Code::INVALID_REQUEST, why));
    let mut key = String::with_capacity(rest.len());
    for segment in rest.strip_prefix('/').unwrap_or(rest).split('/') {
        let Ok(segment) = percent_decode_str(segment).decode_utf8() else {
            return refuse("the decoded path is not UTF-8");
        };
        if segment.contains(['.', '*', '#']) {
            return refuse(
                "a segment of the path has one of the characters `.*#`, which routing keys reserve",
            );
        }
        key.push_str(&segment);
        key.push('.');
    }
    key.pop();
    if key.len() > Message::MAX_NAME_BYTES {
        return refuse("the path is longer than a routing key: 255 bytes");
    }
    Ok(key)
}

fn headers(
    head: &Parts,
    id: &RequestId,
    caller: &Caller,
    withheld: &[HeaderName],
) -> MessageHeaders {
    let mut fields = MessageHeaders::default();
    fields.add(headers::METHOD, head.method.as_str().to_owned());
    fields.add(headers::QUERY, head.uri.query().unwrap_or_default().to_owned());
    let host = host(head);
    let options = head.headers.get_all(header::CONNECTION).iter().map(HeaderValue::as_bytes);
    let options = hop_by_hop::connection_options(options);
    for name in head.headers.keys() {
        let is_ours = *name == "x-request-id" || (*name == header::HOST && host.is_some());
        if !is_ours && !withheld.contains(name) && hop_by_hop::is_end_to_end(name, &options) {
            fields.add(name.as_str().to_owned(), value(&head.headers, name));
        }
    }
    if let Some(host) = host {
        fields.add("host", host.to_owned());
    }
    fields.add("x-request-id", id.as_str().to_owned());
    for (name, value) in hop_by_hop::caller_fields(caller) {
        fields.add(name, value);
    }
    fields
}

/// Returns the host of the request's target: `:authority` of HTTP/2, or an absolute target's. It
/// wins over the field `Host` (RFC 9113 §8.3.1, RFC 9112 §3.2.2).
fn host(head: &Parts) -> Option<&str> {
    let authority = head.uri.authority()?.as_str();
    Some(authority.rsplit_once('@').map_or(authority, |(_, host)| host))
}

/// Joins the values of a field (RFC 9110 §5.3; cookies by RFC 9113 §8.2.3).
fn value(headers: &HeaderMap, name: &HeaderName) -> MessageHeader {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map_or(&b""[..], |value| value.as_bytes());
    let Some(second) = values.next() else {
        return MessageHeader::Text(Bytes::copy_from_slice(first));
    };
    let between: &[u8] = if name == header::COOKIE { b"; " } else { b", " };
    let mut all = first.to_vec();
    for value in std::iter::once(second).chain(values) {
        all.extend_from_slice(between);
        all.extend_from_slice(value.as_bytes());
    }
    MessageHeader::Text(all.into())
}

/// Refuses upgrades and event streams at once: the bus carries whole messages.
fn refuse_streams(headers: &HeaderMap) -> Result<(), Error> {
    if headers.contains_key(header::UPGRADE) {
        let why = "WebSockets and other upgrades are not supported: the route leads to a message \
                   bus";
        return Err(Error::new(Code::INVALID_REQUEST, why));
    }
    let accepted: Vec<_> =
        headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let mut media = accepted
        .iter()
        .flat_map(|value| value.split(','))
        .map(|media| media.split(';').next().unwrap_or(media));
    if !accepted.is_empty()
        && media.all(|media| media.trim().eq_ignore_ascii_case("text/event-stream"))
    {
        let why = "streams of events are not supported: the route leads to a message bus";
        return Err(Error::new(Code::NOT_ACCEPTABLE, why));
    }
    Ok(())
}
