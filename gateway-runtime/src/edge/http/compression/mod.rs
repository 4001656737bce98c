//! Content coding of responses (RFC 9110 §8.4): gzip and brotli, as `Accept-Encoding` permits.
//!
//! Applies to methods, streams, routes, published documents and the admin listener. A mounted
//! service has its own rules.
//!
//! - `accept_encoding` parses the field of the request.
//! - `rules` decides which responses may be compressed, and adjusts their header fields.
//! - `compress` applies both; `encoder` and `encoded` compress.

#[cfg(not(feature = "compression"))]
mod absent;
#[cfg_attr(
    not(feature = "compression"),
    allow(dead_code, reason = "then it is read for `/docs` alone")
)]
mod accept_encoding;
#[cfg(feature = "compression")]
mod compress;
#[cfg(feature = "compression")]
mod encoded;
#[cfg(feature = "compression")]
mod encoder;
#[cfg(feature = "compression")]
mod rules;
mod settings;

use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;

#[cfg(not(feature = "compression"))]
pub(super) use crate::edge::http::compression::absent::Compression;
#[cfg(feature = "compression")]
pub(super) use crate::edge::http::compression::compress::Compression;
pub use crate::edge::http::compression::settings::CompressionSettings;
pub(super) use crate::edge::http::compression::{
    accept_encoding::{AcceptEncoding, Coding},
    settings::problem,
};
use crate::{
    base::body::Body,
    edge::http::{Handler, Peer, etag::KnownTags},
};

/// A mark of a response whose content is identified by its entity tag. The response is compressed
/// once and cached, and not sent to a client that has it.
#[derive(Clone, Copy)]
pub(super) struct PublishedDocument;

/// A mark of a response that must not be changed.
#[derive(Clone, Copy)]
pub(super) struct Untouched;

/// A handler whose responses are compressed.
#[derive(Clone)]
pub struct Compressed<H> {
    handler: H,
    compression: Option<Arc<Compression>>,
}

impl<H> Compressed<H> {
    /// Creates a handler that compresses the responses of `handler` by these settings.
    pub fn new(handler: H, settings: &CompressionSettings) -> Self {
        Self { handler, compression: Compression::new(settings).map(Arc::new) }
    }
}

impl<H: Handler> Handler for Compressed<H> {
    async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let accepted =
            self.compression.as_ref().and_then(|_| AcceptEncoding::of(request.headers()));
        let known = KnownTags::of(request.headers());
        let mut response = self.handler.handle(request, peer).await;
        if let Some(compression) = &self.compression {
            compression.apply(accepted, &known, &mut response);
        }
        response
    }
}
