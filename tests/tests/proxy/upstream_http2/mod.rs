//! Instances that speak HTTP/2.

mod cuts;
mod frames;
mod repeats;
mod sharing;
pub(super) mod stub;
mod translation;

/// The setting of an upstream whose instances speak HTTP/2 in clear text.
const PRIOR_KNOWLEDGE: &str = "protocol = \"http2\"\n";
