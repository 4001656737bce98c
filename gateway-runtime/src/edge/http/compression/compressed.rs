//! A handler whose responses are compressed.

use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;

use crate::{
    base::body::Body,
    edge::http::{
        compression::{AcceptEncoding, Compression, CompressionSettings},
        connection::Peer,
        etag::KnownTags,
        handler::Handler,
    },
};

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
