//! The input of a call: the query string or a JSON body of the request, not parsed yet.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, Uri, header};

use crate::{
    base::{
        body::{BodyBudget, BodyError, BoxError, read_body_within, refuse_coded},
        call::Input,
        error::{Code, Error},
    },
    edge::http::limits::HttpLimits,
    service::registry::Method,
};

/// Returns the input of a call. For a method that declares no input, body and query are not read.
///
/// # Errors
///
/// `unsupported-media-type`, `payload-too-large`, `request-timeout`, `overloaded`, or
/// `invalid-request` for an incomplete body.
pub(super) async fn input<B>(
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: B,
    reading: BodyReading<'_>,
) -> Result<Input, Error>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if method.input.is_none() {
        return Ok(Input::None);
    }
    if method.spec.verb.has_query_input() {
        return Ok(Input::Query(uri.query().unwrap_or_default().into()));
    }
    // Checked before the body is polled, so a client that waits for `100 Continue` need not send it
    // (RFC 9110 §10.1.1).
    let declared = check_media(headers)?;
    declared_json(declared, whole(body, reading).await?)
}

/// Returns whether the input of `method` is in the body.
pub(super) fn reads_body(method: &Method) -> bool {
    method.input.is_some() && !method.spec.verb.has_query_input()
}

/// Returns the input of a call whose body has been read.
///
/// # Errors
///
/// `unsupported-media-type`.
pub(super) fn json(headers: &HeaderMap, body: Bytes) -> Result<Input, Error> {
    declared_json(check_media(headers)?, body)
}

fn declared_json(declared: bool, body: Bytes) -> Result<Input, Error> {
    if declared || body.is_empty() {
        return Ok(Input::Json(body));
    }
    Err(unsupported("the body has no `Content-Type`; this method reads application/json"))
}

/// Reads a body to its end.
///
/// # Errors
///
/// `payload-too-large`, `request-timeout`, `overloaded`, or `invalid-request` for an incomplete
/// body.
pub(super) async fn whole<B>(body: B, reading: BodyReading<'_>) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let HttpLimits { body_bytes, body_timeout, .. } = *reading.limits;
    let charge = reading.budget.charge(Some(reading.client));
    read_body_within(body, body_bytes, body_timeout, charge).await.map_err(BodyError::into_error)
}

/// The limits on reading a body: size and time, and the budget that the client's share is charged
/// to.
#[derive(Clone, Copy)]
pub(super) struct BodyReading<'e> {
    pub(super) limits: &'e HttpLimits,
    pub(super) budget: &'e BodyBudget,
    pub(super) client: IpAddr,
}

/// Checks the media type of a body, and returns whether one is declared.
///
/// # Errors
///
/// `unsupported-media-type` for other types than JSON in UTF-8, and for compressed bodies.
fn check_media(headers: &HeaderMap) -> Result<bool, Error> {
    refuse_coded(headers)?;
    let Some(media) = headers.get(header::CONTENT_TYPE) else { return Ok(false) };
    // Nearly all clients send this value, which needs no parsing.
    if media == "application/json" || media.to_str().is_ok_and(is_json) {
        return Ok(true);
    }
    Err(unsupported("this method reads application/json (or a type that ends in +json), in UTF-8"))
}

/// Returns whether a media type is `application/json` or has the suffix `+json` (RFC 6839 §3.1),
/// and declares no charset but UTF-8 (RFC 8259 §8.1).
fn is_json(media: &str) -> bool {
    let mut parts = media.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let suffix = name.len().checked_sub("+json".len()).and_then(|at| name.get(at..));
    let is_json = name.eq_ignore_ascii_case("application/json")
        || (name.contains('/')
            && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("+json")));
    let is_charset = |name: &str| name.trim().eq_ignore_ascii_case("charset");
    let utf_8 =
        |name: &str| name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8");
    let mut parameters = parts.filter_map(|parameter| parameter.split_once('='));
    is_json
        && parameters
            .all(|(name, value)| !is_charset(name) || utf_8(value.trim().trim_matches('"')))
}

fn unsupported(detail: &'static str) -> Error {
    Error::new(Code::UNSUPPORTED_MEDIA_TYPE, detail)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn check(fields: &[(HeaderName, &'static str)]) -> Result<bool, Error> {
        check_media(
            &fields
                .iter()
                .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
                .collect(),
        )
    }

    #[test]
    fn json_media_types_are_accepted() {
        for json in [
            "application/json",
            "Application/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
            "application/json; version=1",
            "application/merge-patch+json",
            "application/vnd.a.b+JSON; q=1",
        ] {
            assert!(check(&[(header::CONTENT_TYPE, json)]).unwrap(), "{json}");
        }
    }

    #[test]
    fn other_media_types_are_refused() {
        for other in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
            "application/json; charset=utf-16",
            "+json",
            "é+json",
            "",
            "application/json, text/plain",
        ] {
            let other = HeaderValue::from_str(other).unwrap();
            let refused =
                check_media(&HeaderMap::from_iter([(header::CONTENT_TYPE, other.clone())]));
            assert_eq!(refused.unwrap_err().code(), Code::UNSUPPORTED_MEDIA_TYPE, "{other:?}");
        }
    }

    #[test]
    fn compressed_bodies_are_refused() {
        assert!(!check(&[(header::CONTENT_ENCODING, "Identity")]).unwrap());
        let gzip = check(&[
            (header::CONTENT_ENCODING, "gzip"),
            (header::CONTENT_TYPE, "application/json"),
        ]);
        assert_eq!(gzip.unwrap_err().code(), Code::UNSUPPORTED_MEDIA_TYPE);
    }

    proptest::proptest! {
        #[test]
        fn declared_media_type_is_json_or_refused(
            media in "[ -~]{0,40}",
            suffix in "[a-z.]{1,8}",
        ) {
            let declared = |media: &str| check_media(&HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                HeaderValue::from_str(media).unwrap(),
            )]));
            let name = media.split(';').next().unwrap().trim().to_ascii_lowercase();
            if declared(&media).is_ok() {
                let is_json = name == "application/json" || name.ends_with("+json");
                proptest::prop_assert!(is_json, "{}", media);
            }
            let vendor = format!("application/{}+json", suffix);
            proptest::prop_assert!(declared(&vendor).is_ok());
        }
    }
}
