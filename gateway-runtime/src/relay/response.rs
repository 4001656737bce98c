//! From the answer's message to the response.

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::fields;
use crate::{
    body::Body,
    bus::{Field, Message},
    error::{Code, Error},
};

/// The response that an answer makes.
///
/// # Errors
///
/// `provider-failed` for a status that is none.
pub(super) fn of(answer: Message) -> Result<Response<Body>, Error> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status(&answer)?;
    let headers = response.headers_mut();
    for (name, field) in answer.headers.iter() {
        let Some((name, value)) = header(name, field) else { continue };
        headers.append(name, value);
    }
    let properties = [(header::CONTENT_TYPE, answer.content_type), (header::CONTENT_ENCODING, answer.content_encoding)];
    for (name, text) in properties {
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    // A response that has no body ends without the bytes of one (RFC 9110 §6.4.1).
    if !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        *response.body_mut() = answer.body.into();
    }
    Ok(response)
}

fn status(answer: &Message) -> Result<StatusCode, Error> {
    let status = answer.status().and_then(|status| StatusCode::from_u16(status).ok());
    status.ok_or_else(|| {
        Error::new(Code::PROVIDER_FAILED, "the service answered with a status that is none").log(format_args!(
            "{}: {:?}",
            Message::STATUS,
            answer.headers.get(Message::STATUS)
        ))
    })
}

/// A field of the answer that is one of the response too: texts with the names of header fields, of which those of the broker's
/// and of the connection are none.
fn header(name: &str, field: &Field) -> Option<(HeaderName, HeaderValue)> {
    let Field::Text(bytes) = field else { return None };
    let of_the_broker =
        name.starts_with("x-death") || name.starts_with("x-first-death") || name.starts_with("x-last-death");
    let name: HeaderName = name.parse().ok()?;
    if of_the_broker || name == "x-request-id" || !fields::crosses(&name, &[]) {
        return None;
    }
    Some((name, HeaderValue::from_bytes(bytes).ok()?))
}
