//! The rules of compression: the responses that may be compressed, and the changes of their header
//! fields.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::Body as _;

use crate::{base::body::Body, edge::http::compression::accept_encoding::Coding};

/// Digests of the content as it is sent (RFC 9530, RFC 3230): another coding would make them wrong.
const DIGESTS: [HeaderName; 4] = [
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

/// Returns whether a response has content that shrinks and may be transformed, whatever its length.
pub(super) fn is_compressible(response: &Response<Body>) -> bool {
    let headers = response.headers();
    let status = response.status();
    let has_content = !status.is_informational()
        && !matches!(
            status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::PARTIAL_CONTENT
        )
        && !response.body().is_end_stream();
    has_content
        && headers.get(header::CONTENT_TYPE).is_some_and(|media| media.to_str().is_ok_and(is_text))
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::CONTENT_RANGE)
        && !DIGESTS.iter().any(|name| headers.contains_key(name))
        && !names(headers, &header::CACHE_CONTROL, "no-transform")
}

/// Returns whether a media type is one of text. Types that are not in the list may not shrink.
fn is_text(media: &str) -> bool {
    const NAMES: [&str; 10] = [
        "application/json",
        "application/x-ndjson",
        "application/ndjson",
        "application/json-seq",
        "application/jsonl",
        "application/xml",
        "application/javascript",
        "application/yaml",
        "application/openmetrics-text",
        "application/wasm",
    ];
    let name = media.split(';').next().unwrap_or_default().trim();
    let has_suffix = |suffix: &str| {
        name.len()
            .checked_sub(suffix.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    };
    name.get(..5).is_some_and(|group| group.eq_ignore_ascii_case("text/"))
        || NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
        || has_suffix("+json")
        || has_suffix("+xml")
}

/// Returns whether a list field contains a member, ignoring case.
fn names(headers: &HeaderMap, field: &HeaderName, member: &str) -> bool {
    let lines = headers.get_all(field).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|item| item.trim().eq_ignore_ascii_case(member))
}

/// Returns whether `Vary` already names `Accept-Encoding`.
fn varies(headers: &HeaderMap) -> bool {
    names(headers, &header::VARY, "accept-encoding") || names(headers, &header::VARY, "*")
}

/// Adds `Accept-Encoding` to `Vary`, and keeps its other members.
pub(super) fn vary(headers: &mut HeaderMap) {
    if !varies(headers) {
        headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
}

/// Adjusts the header fields of a response to compressed content.
pub(super) fn describe(headers: &mut HeaderMap, coding: Coding) {
    let name = match coding {
        Coding::Gzip => "gzip",
        Coding::Brotli => "br",
    };
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::ACCEPT_RANGES);
    weaken_tag(headers);
}

/// Makes a strong entity tag weak: it now identifies several sequences of bytes (RFC 9110
/// §8.8.3.3).
pub(super) fn weaken_tag(headers: &mut HeaderMap) {
    let Some(tag) = headers.get_mut(header::ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""))
    else {
        return;
    };
    if let Ok(weak) = HeaderValue::from_bytes(&[b"W/", tag.as_bytes()].concat()) {
        *tag = weak;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, fields: &[(HeaderName, &'static str)]) -> Response<Body> {
        let mut response = Response::new(Body::from("some text"));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in fields {
            response.headers_mut().append(name, HeaderValue::from_static(value));
        }
        response
    }

    #[test]
    fn is_compressible_accepts_media_types_of_text_only() {
        for media in [
            "text/html; charset=utf-8",
            "TEXT/event-stream",
            "application/problem+json",
            "image/svg+xml",
            "Application/JSON",
        ] {
            assert!(is_compressible(&response(200, &[(header::CONTENT_TYPE, media)])), "{media}");
        }
        for media in
            ["image/png", "application/zip", "application/octet-stream", "video/mp4", "text", ""]
        {
            assert!(!is_compressible(&response(200, &[(header::CONTENT_TYPE, media)])), "{media}");
        }
        assert!(!is_compressible(&response(200, &[])), "nobody says what it is");
    }

    #[test]
    fn is_compressible_rejects_content_that_must_not_change() {
        let json = (header::CONTENT_TYPE, "application/json");
        for status in [101, 204, 205, 206] {
            assert!(!is_compressible(&response(status, std::slice::from_ref(&json))), "{status}");
        }
        for field in [
            (header::CONTENT_ENCODING, "br"),
            (header::CONTENT_RANGE, "bytes 0-8/9"),
            (header::CACHE_CONTROL, "private, No-Transform"),
            (DIGESTS[0].clone(), "sha-256=:AA==:"),
        ] {
            assert!(!is_compressible(&response(200, &[json.clone(), field.clone()])), "{field:?}");
        }
        assert!(is_compressible(&response(404, &[json, (header::CACHE_CONTROL, "no-store")])));
    }

    #[test]
    fn describe_adjusts_the_fields_and_keeps_other_vary_members() {
        let fields = [
            (header::VARY, "origin"),
            (header::CONTENT_LENGTH, "9"),
            (header::ACCEPT_RANGES, "bytes"),
            (header::ETAG, "\"abc\""),
        ];
        let mut response = response(200, &fields);
        let headers = response.headers_mut();
        vary(headers);
        vary(headers);
        describe(headers, Coding::Brotli);
        let members: Vec<_> = headers.get_all(header::VARY).iter().collect();
        assert_eq!(members, ["origin", "accept-encoding"]);
        assert_eq!(
            (&headers[header::ETAG], &headers[header::CONTENT_ENCODING]),
            (&"W/\"abc\"".parse().unwrap(), &"br".parse().unwrap())
        );
        assert!(
            !headers.contains_key(header::CONTENT_LENGTH)
                && !headers.contains_key(header::ACCEPT_RANGES)
        );
        weaken_tag(headers);
        assert_eq!(headers[header::ETAG], "W/\"abc\"");
    }
}
