//! Content coding of responses (RFC 9110 §8.4): gzip and brotli, as `Accept-Encoding` permits.
//!
//! Applies to methods, streams, routes, published documents and the admin listener. A mounted
//! service has its own rules.
//!
//! - `accept_encoding` parses the field of the request.
//! - `rules` decides which responses may be compressed, and adjusts their header fields.
//! - `marks` are what a response says of its own content.
//! - `compress` applies both; `encoder` and `encoded` compress; `compressed` is a
//!   handler with compression.

#[cfg(not(feature = "compression"))]
mod absent;
#[cfg_attr(
    not(feature = "compression"),
    allow(dead_code, reason = "then it is read for `/docs` alone")
)]
mod accept_encoding;
#[cfg(feature = "compression")]
mod compress;
mod compressed;
#[cfg(feature = "compression")]
mod encoded;
#[cfg(feature = "compression")]
mod encoder;
mod marks;
#[cfg(feature = "compression")]
mod rules;
mod settings;

#[cfg(not(feature = "compression"))]
pub(super) use crate::edge::http::compression::absent::Compression;
#[cfg(feature = "compression")]
pub(super) use crate::edge::http::compression::compress::Compression;
pub(super) use crate::edge::http::compression::{
    accept_encoding::{AcceptEncoding, Coding},
    marks::{PublishedDocument, Untouched},
    settings::problem,
};
pub use crate::edge::http::compression::{compressed::Compressed, settings::CompressionSettings};
