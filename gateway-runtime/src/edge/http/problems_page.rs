//! `/problems`: the page that explains the codes of errors. The `type` of a problem is a path on
//! this page.

use std::{collections::BTreeMap, fmt::Write};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};

use crate::{
    base::{
        error::{Code, Error},
        problem::TYPE_PREFIX,
    },
    edge::http::connection::refusal::CODES,
    service::registry::Registry,
};

/// The explanations of the gateway's codes: one section for each code, under a heading of the
/// second level.
const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md"));

/// The path of the page.
pub(super) const PREFIX: &str = "/problems";

/// The explanations of all codes: the gateway's own, and those that methods declare.
pub(super) struct Explanations {
    /// The explanations of codes that methods declare, by the name of the code.
    of_authors: BTreeMap<&'static str, String>,
}

impl Explanations {
    pub(super) fn new(registry: &Registry) -> Self {
        let mut declared: BTreeMap<&'static str, (Code, Vec<String>)> = BTreeMap::new();
        for method in registry.methods() {
            for code in method.spec.errors {
                declared.entry(code.name()).or_insert((*code, Vec::new())).1.push(method.path());
            }
        }
        let explained =
            declared.into_iter().map(|(name, (code, paths))| (name, explanation(code, &paths)));
        Self { of_authors: explained.filter(|(name, _)| !is_reserved(name)).collect() }
    }

    /// Responds to a GET of `/problems`, or of one code below it.
    ///
    /// # Errors
    ///
    /// `not-found` for codes that neither the gateway nor a method declares.
    pub(super) fn serve(&self, path: &str, _: &HeaderMap) -> Result<Response<Bytes>, Error> {
        let text = match path.strip_prefix(TYPE_PREFIX) {
            None => self.all(),
            Some(code) => match (self.of_authors.get(code), section(code)) {
                (Some(text), _) => Bytes::from(text.clone()),
                (None, Some(text)) => Bytes::from_static(text.as_bytes()),
                (None, None) => {
                    return Err(Error::not_found("no error code has this name"));
                }
            },
        };
        let mut response = Response::new(text);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        Ok(response)
    }

    fn all(&self) -> Bytes {
        if self.of_authors.is_empty() {
            return Bytes::from_static(DOCUMENT.as_bytes());
        }
        let own = self.of_authors.values().map(|text| format!("\n## {text}"));
        std::iter::once(DOCUMENT.to_owned()).chain(own).collect::<String>().into()
    }
}

/// Returns whether a code means the same in every service. The other codes of `docs/errors.md` are
/// those of one edge, and a method may declare a code of the same name.
fn is_reserved(name: &str) -> bool {
    Code::ALL.into_iter().chain(CODES).any(|code| code.name() == name)
}

/// Writes the explanation of a declared code, in the form of the gateway's own.
fn explanation(code: Code, paths: &[String]) -> String {
    let retryable = if code.is_retryable() { " Retryable." } else { "" };
    let mut text = format!(
        "{}\n\nStatus {}.{retryable} {}.\n\nAnswered by:\n",
        code.name(),
        code.status(),
        code.title()
    );
    for path in paths {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- {path}");
    }
    text
}

fn section(code: &str) -> Option<&'static str> {
    let mut sections = DOCUMENT.split("\n## ").skip(1);
    sections.find(|section| section.strip_prefix(code).is_some_and(|rest| rest.starts_with('\n')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_explained() {
        for code in Code::ALL.into_iter().chain(CODES) {
            let text = section(code.name())
                .unwrap_or_else(|| panic!("docs/errors.md has no section `{code}`"));
            assert!(text.contains(&format!("Status {}", code.status())), "{text}");
            assert_eq!(text.contains("Retryable."), code.is_retryable(), "{text}");
        }
        // The codes of one edge: WebSockets, the operator's listener, and the proxy.
        let of_one_edge = [
            "cancelled",
            "conflict",
            "loop-detected",
            "no-instance",
            "no-store",
            "upgrade-required",
            "upstream-failed",
            "upstream-unreachable",
        ];
        assert!(of_one_edge.iter().all(|name| section(name).is_some()));
        let known = Code::ALL.len() + CODES.len() + of_one_edge.len();
        assert_eq!(DOCUMENT.matches("\n## ").count(), known, "a section too many");
    }

    #[test]
    fn the_address_of_a_code_is_its_type() {
        let sold_out = Code::new("sold-out", 409, "Sold out");
        let explained = explanation(sold_out, &["/services/shop/v1/buy".to_owned()]);
        let explanations = Explanations { of_authors: BTreeMap::from([("sold-out", explained)]) };
        let read =
            |path| explanations.serve(path, &HeaderMap::new()).map(|response| response.into_body());
        assert!(read("/problems/not-found").unwrap().starts_with(b"not-found\n"));
        assert!(read("/problems").unwrap().starts_with(b"# "));
        let own = read("/problems/sold-out").unwrap();
        assert_eq!(
            own,
            "sold-out\n\nStatus 409. Sold out.\n\nAnswered by:\n- /services/shop/v1/buy\n"
        );
        assert!(read("/problems").unwrap().ends_with(&own));
        // A method's own code has another meaning than that of one edge, not than a common one.
        let conflict = Code::new("conflict", 409, "Seat taken");
        let taken = explanation(conflict, &["/services/shop/v1/seat".to_owned()]);
        let explanations = Explanations { of_authors: BTreeMap::from([("conflict", taken)]) };
        let conflict = explanations.serve("/problems/conflict", &HeaderMap::new()).unwrap();
        assert!(conflict.body().starts_with(b"conflict\n\nStatus 409. Seat taken."));
        assert!(is_reserved("timeout") && !is_reserved("conflict"));
        for other in ["/problems/not", "/problems/", "/problems/sold"] {
            assert_eq!(read(other).unwrap_err().code(), Code::NOT_FOUND, "{other}");
        }
    }
}
