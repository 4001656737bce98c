//! Compresses responses: small bodies in one go, what is published once, streams and large bodies piece by piece.

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

/// Documents that are kept in a coding, and the longest of them: longer ones are compressed piece by piece.
const MAX_KEPT: NonZeroUsize = NonZeroUsize::new(64).unwrap();
const MAX_KEPT_BYTES: usize = 1 << 20;

/// Compression of one server's responses.
pub(in crate::edge::http) struct Compression {
    min_bytes: u64,
    /// One for each response that is compressed piece by piece.
    slots: Arc<Semaphore>,
    /// What is published, by entity tag and coding.
    kept: Mutex<LruCache<(HeaderValue, Coding), Bytes>>,
}

impl Compression {
    /// Compression by these settings, if they want any.
    pub(in crate::edge::http) fn new(settings: &CompressionSettings) -> Option<Self> {
        let CompressionSettings { enabled, min_bytes, streams } = *settings;
        enabled.then(|| Self {
            min_bytes: min_bytes as u64,
            slots: Arc::new(Semaphore::new(streams.min(Semaphore::MAX_PERMITS))),
            kept: Mutex::new(LruCache::new(MAX_KEPT)),
        })
    }

    /// Compresses a response if it and its client allow it.
    ///
    /// A client that accepts nothing at all (`*;q=0`) is served without a coding: RFC 9110 §12.4.1 lets a server disregard
    /// the field, and a call that was carried out must not end in a 406.
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
        // Most answers are small, and are not looked at further.
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
            (Some(tag), Some(content)) if content.len() <= MAX_KEPT_BYTES => {
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

    /// Compresses what is published, once for each version and coding.
    fn published(&self, tag: HeaderValue, coding: Coding, content: &[u8]) -> Option<Bytes> {
        let key = (tag, coding);
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compressed) = kept().get(&key) {
            return Some(compressed.clone());
        }
        let compressed = whole(coding, Effort::Kept, content)?;
        kept().put(key, compressed.clone());
        Some(compressed)
    }

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

/// Compressed content. A compressor that writes into memory does not fail.
fn whole(coding: Coding, effort: Effort, content: &[u8]) -> Option<Bytes> {
    Encoder::whole(coding, effort, content).ok()
}

/// Gives a 304 of a route the fields that the 200 has (RFC 9110 §15.4.5). Its content is not here to be judged: a client that
/// has the tag in its weak form alone had it compressed.
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

    /// The `ETag` and `Vary` of a route's 304 with these fields, to a client that accepts gzip and has this.
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
    fn a_304_has_the_fields_of_the_200_that_its_client_has() {
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
