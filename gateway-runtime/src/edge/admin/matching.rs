//! Matches a path and an HTTP method with an operation.

use http::Method;

use crate::{
    base::{error::Error, spec::Verb},
    edge::{
        admin::{operation::Operation, pages::READ},
        request::allow::method_not_allowed,
    },
};

/// The result of matching a path and an HTTP method: an operation with its path parameters, or
/// the allowed methods for OPTIONS.
pub(super) enum Found<'o> {
    Operation(&'o Operation, Vec<String>),
    Options(&'static str),
}

/// Returns the value of `Allow` for an address with these methods.
fn allowed(verbs: &[Verb]) -> &'static str {
    match verbs {
        [Verb::Get] => READ,
        [Verb::Get, Verb::Put] | [Verb::Put, Verb::Get] => "GET, HEAD, PUT, OPTIONS",
        [Verb::Get, Verb::Post] | [Verb::Post, Verb::Get] => "GET, HEAD, POST, OPTIONS",
        [Verb::Post] => "POST, OPTIONS",
        [Verb::Patch] => "PATCH, OPTIONS",
        [Verb::Delete] => "DELETE, OPTIONS",
        _ => "OPTIONS",
    }
}

/// Finds the operation of a path and an HTTP method.
///
/// # Errors
///
/// `not-found`, or `method-not-allowed` with the methods of the path.
pub(super) fn find<'o>(
    operations: &'o [Operation],
    path: &str,
    method: &Method,
) -> Result<Found<'o>, Error> {
    let matching = || operations.iter().filter_map(|it| Some((it, it.path_params(path)?)));
    let verbs: Vec<_> = matching().map(|(it, _)| it.verb).collect();
    if verbs.is_empty() {
        return Err(Error::not_found("not found; /openapi.json lists the operations"));
    }
    if method == Method::OPTIONS {
        return Ok(Found::Options(allowed(&verbs)));
    }
    let verb = if method == Method::HEAD { "GET" } else { method.as_str() };
    let found = matching().find(|(it, _)| it.verb.as_str() == verb);
    found
        .map(|(operation, path_params)| Found::Operation(operation, path_params))
        .ok_or_else(|| method_not_allowed(allowed(&verbs)))
}
