//! Content coding of responses (RFC 9110 §8.4): gzip and brotli, as `Accept-Encoding` allows.
//!
//! For methods, streams, routes, what is published, and the operator's listener. A mounted service has its own rules.
//!
//! - `accept_encoding` reads the request's field.
//! - `rules` decides which responses may be compressed, and adjusts their header fields.
//! - `compress` applies both, `encoder` and `encoded` do the work.

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

/// Marks a response whose content its entity tag identifies: it is compressed once and kept, and not sent to a client that has
/// it.
#[derive(Clone, Copy)]
pub(super) struct PublishedDocument;

/// Marks a response that stays as it is.
#[derive(Clone, Copy)]
pub(super) struct Untouched;

/// A handler whose responses are compressed.
#[derive(Clone)]
pub struct Compressed<H> {
    handler: H,
    compression: Option<Arc<Compression>>,
}

impl<H> Compressed<H> {
    /// Compresses the responses of `handler` by these settings.
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
