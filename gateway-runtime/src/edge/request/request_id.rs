//! The field `X-Request-Id`: a client may choose the id of its request, and every response has it.

use http::HeaderName;

/// The name of the field.
pub(in crate::edge) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
