//! Transports: the interface that carries calls to a remote service.

use std::{fmt, time::Duration};

use ::http::HeaderMap;
use bytes::Bytes;
use futures_util::{future::BoxFuture, stream::BoxStream};

use crate::{
    base::spec::{ServiceSpec, Verb},
    edge::client::ClientError,
};

/// A transport to a remote service: one call in, one reply out. [`Http`](crate::edge::client::Http)
/// and [`Bus`](crate::edge::client::Bus) implement it; a test may have its own.
///
/// ```
/// use futures_util::{TryStreamExt, future::{BoxFuture, ready}, stream};
/// use gateway_runtime::{
///     client::{ByteStream, ClientError, Expected, Transport, TransportRequest, TransportResponse},
///     prelude::*,
/// };
///
/// #[service]
/// struct Currency;
///
/// #[service]
/// impl Currency {
///     /// Returns the rate of the dollar.
///     #[expose_method(GET)]
///     async fn rate(&self) -> Result<f64> {
///         Ok(1.1)
///     }
///
///     /// Returns the rates of the last days.
///     #[expose_method(GET)]
///     async fn history(&self) -> Result<Streaming<f64>> {
///         Ok(Streaming::new(stream::iter([1.1, 1.2].map(Ok::<f64, Error>))))
///     }
/// }
///
/// /// Replies as a remote service would.
/// struct Recorded;
///
/// impl Transport for Recorded {
///     fn call(
///         &self,
///         request: TransportRequest,
///     ) -> BoxFuture<'static, Result<TransportResponse, ClientError>> {
///         let reply = match (request.method, request.expected) {
///             ("rate", Expected::Value) => Ok(TransportResponse::Json("1.3".into())),
///             ("history", Expected::Items) => {
///                 let items = stream::iter(["1.4", "1.5"].map(|item| Ok(item.into())));
///                 let items: ByteStream = Box::pin(items);
///                 Ok(TransportResponse::Items(items))
///             }
///             (method, _) => Err(ClientError::NotSent(format!("no reply to `{method}`"))),
///         };
///         Box::pin(ready(reply))
///     }
/// }
///
/// #[tokio::main(flavor = "current_thread")]
/// async fn main() -> Result<(), ClientError> {
///     let currency = Currency::client(Recorded);
///     assert_eq!(currency.rate().await?, 1.3);
///     let history: Vec<f64> = currency.history().await?.try_collect().await?;
///     assert_eq!(history, [1.4, 1.5]);
///     Ok(())
/// }
/// ```
pub trait Transport: Send + Sync + 'static {
    /// Sends one call.
    ///
    /// # Errors
    ///
    /// The future returns the problem of the service, or the reason why there is no reply.
    fn call(
        &self,
        request: TransportRequest,
    ) -> BoxFuture<'static, Result<TransportResponse, ClientError>>;
}

/// A call to send.
#[derive(Clone, Debug)]
pub struct TransportRequest {
    /// The called service.
    pub service: &'static ServiceSpec,
    /// The name of the method, as in its address.
    pub method: &'static str,
    /// The HTTP method.
    pub verb: Verb,
    /// The input as JSON text; empty if there is none.
    pub input: Bytes,
    /// The header fields of this call; they win over those of the transport.
    pub headers: HeaderMap,
    /// The time limit for the reply, or for its begin if it is streamed; none for the transport's
    /// own.
    pub timeout: Option<Duration>,
    /// The form of the reply.
    pub expected: Expected,
}

/// The form in which a reply is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A single JSON value, or no content.
    Value,
    /// JSON values one after another, as NDJSON.
    Items,
    /// Bytes of this media type.
    Bytes(&'static str),
}

/// The pieces of a reply, as they arrive. A stream that ends without an error is complete.
pub type ByteStream = BoxStream<'static, Result<Bytes, ClientError>>;

/// A reply of a call that was executed; all else is a [`ClientError`].
pub enum TransportResponse {
    /// An empty reply.
    Empty,
    /// A single JSON value.
    Json(Bytes),
    /// JSON values, a complete one in each piece.
    Items(ByteStream),
    /// Bytes with this media type.
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
