//! Matches the HTTP method of a request with the verb of a target.

use http::Method as HttpMethod;

use crate::{
    base::{error::Error, spec::Verb},
    edge::request::allow::method_not_allowed,
};

/// The result of matching a request's HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge::http) enum MethodMatch {
    /// A call to execute. The connection removes the body of the response to HEAD.
    Call,
    /// A request for the allowed methods (OPTIONS).
    Options,
}

/// Matches a request's HTTP method with the `verb` of an address.
///
/// # Errors
///
/// `method-not-allowed`, with the methods that are allowed.
pub(in crate::edge::http) fn admit(request: &HttpMethod, verb: Verb) -> Result<MethodMatch, Error> {
    if request.as_str() == verb.as_str() || (verb == Verb::Get && request == HttpMethod::HEAD) {
        return Ok(MethodMatch::Call);
    }
    if request == HttpMethod::OPTIONS {
        return Ok(MethodMatch::Options);
    }
    Err(method_not_allowed(allowed(verb)))
}

/// Returns the value of `Allow` for an address whose HTTP method is `verb`.
pub(in crate::edge::http) const fn allowed(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "GET, HEAD, OPTIONS",
        Verb::Post => "POST, OPTIONS",
        Verb::Put => "PUT, OPTIONS",
        Verb::Patch => "PATCH, OPTIONS",
        Verb::Delete => "DELETE, OPTIONS",
    }
}
