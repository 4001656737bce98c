//! `/problems`: what the codes of errors mean. The `type` of a problem is its address here.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};

use crate::{error::Error, problem::TYPES};

/// One section a code, each under a heading of the second level.
const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md"));

/// Where it is published.
pub(super) const PREFIX: &str = "/problems";

/// Answers a GET of `/problems`, or of one code below it.
///
/// # Errors
///
/// `not-found` for codes that are not the gateway's: those of an author are explained by the author.
pub(super) fn serve(path: &str, _: &HeaderMap) -> Result<Response<Bytes>, Error> {
    let text = match path.strip_prefix(TYPES) {
        None => DOCUMENT,
        Some(code) => section(code).ok_or_else(|| Error::not_found("this is no error code of the gateway's own"))?,
    };
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(response)
}

fn section(code: &str) -> Option<&'static str> {
    let mut sections = DOCUMENT.split("\n## ").skip(1);
    sections.find(|section| section.strip_prefix(code).is_some_and(|rest| rest.starts_with('\n')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn every_code_is_explained() {
        for code in Code::ALL {
            let text = section(code.name()).unwrap_or_else(|| panic!("docs/errors.md has no section `{code}`"));
            assert!(text.contains(&format!("Status {}", code.status())), "{text}");
            assert_eq!(text.contains("Retryable."), code.is_retryable(), "{text}");
        }
        assert_eq!(DOCUMENT.matches("\n## ").count(), Code::ALL.len(), "a section too many");
    }

    #[test]
    fn the_address_of_a_code_is_its_type() {
        let read = |path| serve(path, &HeaderMap::new()).map(|response| response.into_body());
        assert!(read("/problems/not-found").unwrap().starts_with(b"not-found\n"));
        assert!(read("/problems").unwrap().starts_with(b"# "));
        for other in ["/problems/not", "/problems/", "/problems/sold-out"] {
            assert_eq!(read(other).unwrap_err().code(), Code::NOT_FOUND, "{other}");
        }
    }
}
