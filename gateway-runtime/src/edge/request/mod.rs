//! What every HTTP listener, the gateway's and the operator's, does to a request in the same way.
//!
//! - `json_body` checks the media type of a body and reads it.
//! - `allow` responds to OPTIONS, and to methods that an address does not have.
//! - `request_id` names the field `X-Request-Id`.

pub(in crate::edge) mod allow;
pub(in crate::edge) mod json_body;
pub(in crate::edge) mod request_id;
