//! Headers of messages that WASP defines (SEMANTICS §11).

/// The header with the HTTP method.
pub(super) const METHOD: &str = "X-WASP-METHOD";
/// The header with the query string.
pub(super) const QUERY: &str = "X-WASP-QS";
