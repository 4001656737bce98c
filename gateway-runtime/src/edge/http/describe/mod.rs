//! The documents that the gateway publishes about itself: `/meta`, `/openapi.json` and
//! `/asyncapi.json`.
//!
//! The documents are rendered once, at start, from the registry and the settings of authentication
//! and bus, so they cannot describe what the server does not do. Only the health of providers is
//! read when `/meta` is requested.

mod asyncapi;
mod asyncapi_operation;
mod bus;
mod error_codes;
mod headers;
mod idempotency;
mod info;
mod messages;
mod meta;
mod method;
mod openapi;
mod operation;
mod operation_id;
mod params;
mod providers;
mod responses;
mod security;
mod terms;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::Value;

pub use crate::edge::http::describe::info::Info;
use crate::{
    auth::AcceptedCredentials,
    base::error::{Error, Result},
    bus::BusSettings,
    edge::http::{describe::meta::Meta, etag},
    service::registry::Registry,
};

/// The published documents about the registered services.
#[derive(Debug)]
pub struct Documents {
    meta: Meta,
    openapi: RenderedDocument,
    asyncapi: RenderedDocument,
}

impl Documents {
    /// Renders the documents of a gateway that reads the `accepted` credentials and takes calls by
    /// this bus.
    #[must_use]
    pub fn new(
        info: &Info,
        registry: Arc<Registry>,
        accepted: AcceptedCredentials,
        bus: &BusSettings,
    ) -> Self {
        Self {
            openapi: RenderedDocument::new(&openapi::document(info, &registry, accepted)),
            asyncapi: RenderedDocument::new(&asyncapi::document(info, &registry, bus)),
            meta: Meta::new(info, registry, accepted, bus),
        }
    }

    /// Responds to a GET of `/openapi.json`, `/asyncapi.json`, `/meta` or a path below that, with
    /// an entity tag.
    ///
    /// # Errors
    ///
    /// `not-found` for other paths, and for services that are not registered.
    pub fn serve(&self, path: &str) -> Result<Response<Bytes>> {
        match path {
            "/openapi.json" => Ok(self.openapi.answer()),
            "/asyncapi.json" => Ok(self.asyncapi.answer()),
            _ => match path.strip_prefix("/meta") {
                Some(below) => self.meta.serve(below),
                None => Err(Error::not_found(
                    "not found; the documents are /meta, /openapi.json and /asyncapi.json",
                )),
            },
        }
    }
}

/// A rendered document that does not change while the gateway runs.
#[derive(Debug)]
struct RenderedDocument {
    content: Bytes,
    tag: HeaderValue,
}

impl RenderedDocument {
    fn new(content: &Value) -> Self {
        let content = Bytes::from(content.to_string());
        Self { tag: etag::of(&content), content }
    }

    fn answer(&self) -> Response<Bytes> {
        answer(self.tag.clone(), self.content.clone())
    }
}

/// Returns the response with the content and its entity tag.
fn answer(tag: HeaderValue, content: Bytes) -> Response<Bytes> {
    let mut response = Response::new(content);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, tag);
    // Clients store the document and revalidate it each time: after an upgrade, the gateway must
    // not show the old one.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
