//! Entity tags of documents that seldom change, and when a client already has one (RFC 9110 §8.8.3, §13.1.2).

use http::{HeaderMap, HeaderValue, header};
use sha2::{Digest, Sha256};

/// A strong entity tag: the first 16 bytes of the content's SHA-256, in hex.
#[expect(clippy::expect_used, reason = "hex between quotes is always a valid field value")]
pub(crate) fn of(content: &[u8]) -> HeaderValue {
    let digest = hex::encode(&Sha256::digest(content)[..16]);
    HeaderValue::try_from(format!("\"{digest}\"")).expect("hex between quotes is a field value")
}

/// Whether `If-None-Match` names `tag`, so that the answer is 304: any field line, any item of its list,
/// `*`, and weak tags too, since a proxy that recompresses makes ours weak.
///
/// `tag` is one of ours: strong, without a comma in it.
pub(crate) fn is_known(request: &HeaderMap, tag: &HeaderValue) -> bool {
    request.get_all(header::IF_NONE_MATCH).iter().any(|line| {
        line.as_bytes()
            .split(|byte| *byte == b',')
            .map(<[u8]>::trim_ascii)
            .any(|item| item == b"*" || item.strip_prefix(b"W/").unwrap_or(item) == tag.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(lines: &[&'static str]) -> HeaderMap {
        lines.iter().map(|line| (header::IF_NONE_MATCH, HeaderValue::from_static(line))).collect()
    }

    #[test]
    fn a_tag_is_quoted_and_follows_the_content() {
        assert_eq!(of(b""), "\"e3b0c44298fc1c149afbf4c8996fb924\"");
        assert_ne!(of(b"a"), of(b"b"));
    }

    #[test]
    fn a_known_tag_is_found_in_any_spelling() {
        let tag = HeaderValue::from_static("\"abc\"");
        for known in [&["\"abc\""][..], &["*"], &["W/\"abc\""], &["\"x\" , \"abc\""], &["\"x\"", "\"abc\""]] {
            assert!(is_known(&asks(known), &tag), "{known:?}");
        }
        for other in [&[][..], &[""], &["\"abcd\""], &["abc"], &["w/\"abc\""]] {
            assert!(!is_known(&asks(other), &tag), "{other:?}");
        }
    }
}
