//! The response of a reply.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use crate::{
    base::{
        body::Body,
        error::{Code, Error},
    },
    bus::{Message, MessageHeader, MessageHeaders},
    edge::dispatch::hop_by_hop::{connection_options, is_end_to_end},
};

/// The maximum number of header fields of a response. An AMQP frame has room for tens of thousands,
/// which no client reads.
const MAX_FIELDS: usize = 1000;

/// Creates the response of a reply.
///
/// # Errors
///
/// `provider-failed` for an invalid status, for more header fields than a response can have, and if
/// properties could not be read: the status may be among them.
pub(super) fn of(answer: Message) -> Result<Response<Body>, Error> {
    if let Some(reason) = answer.unreadable() {
        let error = Error::new(
            Code::PROVIDER_FAILED,
            "the properties of the service's reply cannot be read",
        );
        return Err(error.with_log_message(reason));
    }
    let status = status(&answer)?;
    let mut headers = headers(&answer.headers)?;
    let properties = [
        (header::CONTENT_TYPE, answer.content_type),
        (header::CONTENT_ENCODING, answer.content_encoding),
    ];
    for (name, text) in properties {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    // These responses have no content (RFC 9110 §15.3.5, §15.3.6, §15.4.5).
    if !matches!(
        status,
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED
    ) {
        *response.body_mut() = answer.body.into();
    }
    Ok(response)
}

/// Returns the header fields of the response: texts and integers, and lists of them, which become
/// one field for each value. Headers of the broker and hop-by-hop fields are left out.
fn headers(fields: &MessageHeaders) -> Result<HeaderMap, Error> {
    let connection = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let options = connection
        .flat_map(|(_, field)| values(field))
        .filter_map(MessageHeader::as_bytes)
        .map(AsRef::as_ref);
    let options = connection_options(options);
    let mut headers = HeaderMap::new();
    for (name, field) in fields.iter() {
        let Some(name) = header_name(name).filter(|name| is_end_to_end(name, &options)) else {
            continue;
        };
        let values = values(field).iter().filter_map(MessageHeader::to_text);
        for value in values.filter_map(|text| HeaderValue::from_maybe_shared(text).ok()) {
            headers.append(&name, value);
            if headers.len() > MAX_FIELDS {
                return Err(Error::new(
                    Code::PROVIDER_FAILED,
                    "the reply has too many header fields",
                ));
            }
        }
    }
    Ok(headers)
}

/// Returns the values of a header: the items of a list, or the value itself.
fn values(field: &MessageHeader) -> &[MessageHeader] {
    match field {
        MessageHeader::List(values) => values,
        value => std::slice::from_ref(value),
    }
}

/// Parses the name of a response's field; none for the gateway's and the broker's own.
fn header_name(name: &str) -> Option<HeaderName> {
    let is_of_the_broker =
        ["x-death", "x-first-death", "x-last-death"].iter().any(|prefix| name.starts_with(prefix));
    let name: HeaderName = name.parse().ok()?;
    (!is_of_the_broker && name != "x-request-id").then_some(name)
}

fn status(answer: &Message) -> Result<StatusCode, Error> {
    let status = answer.status().and_then(|status| StatusCode::from_u16(status).ok());
    status.ok_or_else(|| {
        Error::new(Code::PROVIDER_FAILED, "the service replied with an invalid status")
            .with_log_message(format_args!(
                "{}: {:?}",
                Message::STATUS,
                answer.headers.get(Message::STATUS)
            ))
    })
}
