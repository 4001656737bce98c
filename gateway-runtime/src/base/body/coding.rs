//! The content coding of requests (RFC 9110 §8.4): none is accepted.

use http::{HeaderMap, header};

use crate::base::error::{Code, Error};

/// Refuses a request whose body has a content coding. Bodies are never decoded, since a few bytes
/// could become many.
///
/// # Errors
///
/// Returns `unsupported-media-type`, with the codings that are accepted (RFC 9110 §15.5.16).
pub(crate) fn refuse_coded(request: &HeaderMap) -> Result<(), Error> {
    let is_identity = |line: &[u8]| {
        line.split(|byte| *byte == b',')
            .all(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"identity"))
    };
    if request.get_all(header::CONTENT_ENCODING).iter().all(|line| is_identity(line.as_bytes())) {
        return Ok(());
    }
    let detail = "the body has a content coding; send it without `Content-Encoding`";
    Err(Error::new(Code::UNSUPPORTED_MEDIA_TYPE, detail).accept_encoding("identity"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn every_coding_but_identity_is_refused_in_any_position() {
        let coded = |lines: &[&'static str]| {
            let lines =
                lines.iter().map(|line| (header::CONTENT_ENCODING, HeaderValue::from_static(line)));
            refuse_coded(&lines.collect())
        };
        assert!(coded(&[]).is_ok() && coded(&["Identity"]).is_ok());
        for refused in
            [&["gzip"][..], &["identity", "gzip"], &["identity, br"], &["aes128gcm"], &[""]]
        {
            let error = coded(refused).unwrap_err();
            assert_eq!(
                (error.code(), error.accepted_encodings()),
                (Code::UNSUPPORTED_MEDIA_TYPE, Some("identity")),
                "{refused:?}"
            );
        }
    }
}
