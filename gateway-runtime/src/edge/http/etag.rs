//! Entity tags of documents that rarely change, and `If-None-Match` (RFC 9110 §8.8.3, §13.1.2).

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use crate::base::{body::Body, digest::Sha256};

/// Returns a strong entity tag: the first 16 bytes of the content's SHA-256, in hexadecimal.
#[expect(clippy::expect_used, reason = "hex between quotes is always a valid field value")]
pub(crate) fn of(content: &[u8]) -> HeaderValue {
    let digest = hex::encode(&Sha256::of(content)[..16]);
    HeaderValue::try_from(format!("\"{digest}\"")).expect("hex between quotes is a field value")
}

/// The entity tags of the representations that a client has: all lines of its `If-None-Match`.
pub(super) struct KnownTags(Vec<HeaderValue>);

impl KnownTags {
    pub(super) fn of(request: &HeaderMap) -> Self {
        Self(request.get_all(header::IF_NONE_MATCH).iter().cloned().collect())
    }

    /// Returns whether the client names `tag` or `*`, by weak comparison (RFC 9110 §8.8.3.2):
    /// compression makes a strong tag weak.
    fn names(&self, tag: &HeaderValue) -> bool {
        self.tags().any(|known| known == b"*" || opaque(known) == opaque(tag.as_bytes()))
    }

    /// Returns whether the client names a strong `tag`, always in its weak form.
    #[cfg(feature = "compression")]
    pub(super) fn names_as_weak(&self, tag: &HeaderValue) -> bool {
        let mut forms = self.tags().filter(|known| opaque(known) == tag.as_bytes()).peekable();
        forms.peek().is_some() && forms.all(|known| known != tag.as_bytes())
    }

    /// Splits the lines at commas, which is safe: no tag of ours contains one.
    fn tags(&self) -> impl Iterator<Item = &[u8]> {
        self.0
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
    }
}

/// Returns the opaque part of a tag, without the prefix `W/` of weak tags.
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// Turns a response whose content the client has into a 304, which keeps the fields of the 200
/// except those of the content (RFC 9110 §15.4.5).
pub(super) fn omit_known(known: &KnownTags, response: &mut Response<Body>) {
    let tag = response.headers().get(header::ETAG).filter(|_| response.status() == StatusCode::OK);
    if !tag.is_some_and(|tag| known.names(tag)) {
        return;
    }
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    *response.body_mut() = Body::empty();
    for field in [header::CONTENT_TYPE, header::CONTENT_ENCODING] {
        response.headers_mut().remove(field);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(lines: &[&'static str]) -> KnownTags {
        KnownTags(lines.iter().map(|line| HeaderValue::from_static(line)).collect())
    }

    #[test]
    fn a_tag_is_quoted_and_follows_the_content() {
        assert_eq!(of(b""), "\"e3b0c44298fc1c149afbf4c8996fb924\"");
        assert_ne!(of(b"a"), of(b"b"));
    }

    #[test]
    fn a_known_tag_is_found_in_any_spelling() {
        let tag = HeaderValue::from_static("\"abc\"");
        for lines in
            [&["\"abc\""][..], &["*"], &["W/\"abc\""], &["\"x\" , \"abc\""], &["\"x\"", "\"abc\""]]
        {
            assert!(known(lines).names(&tag), "{lines:?}");
        }
        for other in [&[][..], &[""], &["\"abcd\""], &["abc"], &["w/\"abc\""]] {
            assert!(!known(other).names(&tag), "{other:?}");
        }
    }

    #[test]
    fn known_content_becomes_304_with_its_tag() {
        let respond = |lines: &[&'static str]| {
            let mut response = Response::new(Body::from("text"));
            for (name, value) in [
                (header::ETAG, "W/\"abc\""),
                (header::VARY, "accept-encoding"),
                (header::CONTENT_TYPE, "text/plain"),
                (header::CONTENT_ENCODING, "gzip"),
            ] {
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
            omit_known(&known(lines), &mut response);
            let mut names: Vec<_> =
                response.headers().keys().map(|name| name.as_str().to_owned()).collect();
            names.sort();
            (
                response.status().as_u16(),
                names.join(" "),
                http_body::Body::is_end_stream(response.body()),
            )
        };
        assert_eq!(respond(&["\"abc\""]), (304, "etag vary".to_owned(), true));
        assert_eq!(
            respond(&["\"x\""]),
            (200, "content-encoding content-type etag vary".to_owned(), false)
        );
    }
}
