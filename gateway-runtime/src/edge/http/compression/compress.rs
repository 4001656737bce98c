//! The compression of responses: of small bodies at once, of published documents once for all
//! clients, of streams and large bodies piece by piece.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::Body as _;
use lru::LruCache;
use tokio::sync::Semaphore;

use crate::{
    base::body::Body,
    edge::http::{
        compression::{
            AcceptEncoding, CompressionSettings, PublishedDocument, Untouched,
            accept_encoding::Coding,
            encoded::{Encoded, PIECE_BYTES},
            encoder::{Effort, Encoder},
            rules,
        },
        etag::KnownTags,
    },
};

/// Maximum number of published documents that are cached in a coding, and the maximum size of one.
/// Longer ones are compressed piece by piece.
const MAX_CACHED: NonZeroUsize = NonZeroUsize::new(64).unwrap();
const MAX_CACHED_BYTES: usize = 1 << 20;

/// The compression of one server's responses.
pub(in crate::edge::http) struct Compression {
    min_bytes: u64,
    /// Slots of the responses that are compressed piece by piece.
    slots: Arc<Semaphore>,
    /// Compressed published documents, by entity tag and coding.
    cached: Mutex<LruCache<(HeaderValue, Coding), Bytes>>,
}

impl Compression {
    /// Creates the compression that the settings describe; `None` if it is disabled.
    pub(in crate::edge::http) fn new(settings: &CompressionSettings) -> Option<Self> {
        let CompressionSettings { enabled, min_bytes, streams } = *settings;
        enabled.then(|| Self {
            min_bytes: min_bytes as u64,
            slots: Arc::new(Semaphore::new(streams.min(Semaphore::MAX_PERMITS))),
            cached: Mutex::new(LruCache::new(MAX_CACHED)),
        })
    }

    /// Compresses a response if the response and the client permit it.
    ///
    /// A client that accepts nothing at all (`*;q=0`) gets a response without a coding: RFC 9110
    /// §12.4.1 lets a server disregard the field, and a call that was executed must not end in a
    /// 406.
    pub(in crate::edge::http) fn apply(
        &self,
        accepted: Option<AcceptEncoding>,
        known: &KnownTags,
        response: &mut Response<Body>,
    ) {
        if response.extensions_mut().remove::<Untouched>().is_some() {
            return;
        }
        let is_published = response.extensions().get::<PublishedDocument>().is_some();
        let offers = if is_published {
            [Coding::Brotli, Coding::Gzip]
        } else {
            [Coding::Gzip, Coding::Brotli]
        };
        let coding = accepted.and_then(|accepted| accepted.choose(offers));
        if response.status() == StatusCode::NOT_MODIFIED {
            return not_modified(coding, known, response);
        }
        // Most responses are small, and are not examined further.
        let is_small =
            response.body().size_hint().exact().is_some_and(|bytes| bytes < self.min_bytes);
        let must = accepted.is_some_and(AcceptEncoding::refuses_identity);
        if is_small && !must || !rules::is_compressible(response) {
            return;
        }
        rules::vary(response.headers_mut());
        let Some(coding) = coding else { return };
        let tag = response.headers().get(header::ETAG).filter(|_| is_published).cloned();
        let compressed = match (tag, response.body_mut().bytes_mut()) {
            (Some(tag), Some(content)) if content.len() <= MAX_CACHED_BYTES => {
                self.published(tag, coding, content)
            }
            (_, Some(content)) if content.len() <= PIECE_BYTES => {
                whole(coding, Effort::Moderate, content)
            }
            _ => return self.piece_by_piece(coding, response),
        };
        let shrinks = |compressed: &Bytes| {
            must || response.body().size_hint().lower() > compressed.len() as u64
        };
        if let Some(compressed) = compressed.filter(shrinks) {
            rules::describe(response.headers_mut(), coding);
            *response.body_mut() = compressed.into();
        }
    }

    /// Compresses a published document, once for each version and coding.
    fn published(&self, tag: HeaderValue, coding: Coding, content: &[u8]) -> Option<Bytes> {
        let key = (tag, coding);
        let cached = || self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compressed) = cached().get(&key) {
            return Some(compressed.clone());
        }
        let compressed = whole(coding, Effort::Kept, content)?;
        cached().put(key, compressed.clone());
        Some(compressed)
    }

    /// Compresses a response as a stream, if a slot is free.
    fn piece_by_piece(&self, coding: Coding, response: &mut Response<Body>) {
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else { return };
        rules::describe(response.headers_mut(), coding);
        let body = std::mem::take(response.body_mut());
        *response.body_mut() =
            Body::wrap(Encoded::new(body, Encoder::new(coding, Effort::Moderate), slot));
    }
}

impl std::fmt::Debug for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compression").field("min_bytes", &self.min_bytes).finish_non_exhaustive()
    }
}

/// Compresses content at once. A compressor that writes into memory does not fail.
fn whole(coding: Coding, effort: Effort, content: &[u8]) -> Option<Bytes> {
    Encoder::whole(coding, effort, content).ok()
}

/// Adjusts the fields of a route's 304 to those of the 200 (RFC 9110 §15.4.5). The content is not
/// available to decide whether it was compressed: for a client that has the tag only in its weak
/// form, it was.
fn not_modified(coding: Option<Coding>, known: &KnownTags, response: &mut Response<Body>) {
    let headers = response.headers_mut();
    if coding.is_some() && headers.get(header::ETAG).is_some_and(|tag| known.names_as_weak(tag)) {
        rules::vary(headers);
        rules::weaken_tag(headers);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    /// Returns the `ETag` and `Vary` of a route's 304 with these fields, for a client that accepts
    /// gzip and sends `known` in `If-None-Match`.
    fn fields_of_304(fields: &[(&'static str, &'static str)], known: &'static str) -> [String; 2] {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        for (name, value) in fields {
            response.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        let request = HeaderMap::from_iter([
            (header::ACCEPT_ENCODING, HeaderValue::from_static("gzip")),
            (header::IF_NONE_MATCH, HeaderValue::from_static(known)),
        ]);
        let compression = Compression::new(&CompressionSettings::default()).unwrap();
        compression.apply(AcceptEncoding::of(&request), &KnownTags::of(&request), &mut response);
        let field = |name| {
            response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        [field(header::ETAG), field(header::VARY)]
    }

    #[test]
    fn not_modified_has_the_fields_of_the_cached_200() {
        let plain: &[_] = &[("etag", "\"a\"")];
        assert_eq!(fields_of_304(plain, "\"a\""), ["\"a\"", ""], "it was not compressed");
        assert_eq!(
            fields_of_304(plain, "\"b\", W/\"a\""),
            ["W/\"a\"", "accept-encoding"],
            "it was compressed"
        );
        assert_eq!(fields_of_304(plain, "*"), ["\"a\"", ""]);
        let varies: &[_] = &[("etag", "\"a\""), ("vary", "Accept-Encoding")];
        assert_eq!(fields_of_304(varies, "W/\"a\""), ["W/\"a\"", "Accept-Encoding"]);
        assert_eq!(fields_of_304(varies, "\"a\""), ["\"a\"", "Accept-Encoding"]);
        assert_eq!(
            fields_of_304(&[("etag", "W/\"a\"")], "W/\"a\""),
            ["W/\"a\"", ""],
            "weak of its own"
        );
    }
}
