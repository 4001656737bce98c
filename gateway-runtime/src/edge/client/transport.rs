//! What carries a call to where the service is.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use ::http::HeaderMap;
use bytes::Bytes;
use futures_util::Stream;

use crate::{
    base::spec::{ServiceSpec, Verb},
    edge::client::ClientError,
};

/// A way to a service elsewhere: one call in, one answer out. [`Http`](crate::edge::client::Http) is one, [`Bus`](crate::edge::client::Bus)
/// another; a test may have its own.
pub trait Transport: Send + Sync + 'static {
    /// Carries out one call.
    ///
    /// # Errors
    ///
    /// The future gives the problem that the service answered with, or why there is no answer.
    fn call(
        &self,
        request: TransportRequest,
    ) -> Pin<Box<dyn Future<Output = Result<TransportResponse, ClientError>> + Send>>;
}

/// A call on its way out.
#[derive(Clone, Debug)]
pub struct TransportRequest {
    /// The service.
    pub service: &'static ServiceSpec,
    /// The method's name, as in its address.
    pub method: &'static str,
    /// Its HTTP method.
    pub verb: Verb,
    /// The input as a JSON text; empty where there is none.
    pub input: Bytes,
    /// Header fields of this call; they win over those of the transport.
    pub headers: HeaderMap,
    /// In which time the answer must be there, or have begun if it is streamed; none for the transport's own.
    pub timeout: Option<Duration>,
    /// The form of the answer.
    pub expected: Expected,
}

/// In which form an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// One JSON value, or nothing.
    Value,
    /// JSON values one after another, as NDJSON.
    Items,
    /// Bytes of this media type.
    Bytes(&'static str),
}

/// Pieces of an answer, as they come. An end without an error is the whole of it.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, ClientError>> + Send>>;

/// An answer on its way in: what was done. What was not is a [`ClientError`].
pub enum TransportResponse {
    /// Nothing to say.
    Empty,
    /// One JSON value.
    Json(Bytes),
    /// JSON values, a whole one in each piece.
    Items(ByteStream),
    /// Bytes of the media type.
    Bytes(String, ByteStream),
}

impl fmt::Debug for TransportResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Json(json) => f.debug_tuple("Json").field(json).finish(),
            Self::Items(_) => f.write_str("Items(..)"),
            Self::Bytes(media, _) => f.debug_tuple("Bytes").field(media).finish(),
        }
    }
}
