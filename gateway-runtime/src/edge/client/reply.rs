//! Conversion of responses to the return types of methods.

use serde::de::DeserializeOwned;

use crate::{
    base::reply::{MediaType, Raw, Streaming},
    edge::client::{
        ClientError, Expected, ReplyBody, ReplyStream, TransportResponse, json::read_json,
    },
};

/// The return type of a method, as its client receives it.
#[diagnostic::on_unimplemented(
    message = "the typed client cannot receive a `{Self}`, which does not implement `Deserialize`",
    label = "this answer can be written and not read",
    note = "derive `serde::Deserialize` for `{Self}` beside `Serialize`, or put `#[model]` on it, \
            which derives both"
)]
pub trait FromReply {
    /// The type that awaiting the call returns.
    type Received: Send + 'static;

    /// The form of reply to request.
    const EXPECTED: Expected;

    /// Decodes the reply.
    ///
    /// # Errors
    ///
    /// Fails if the reply is not what the method returns.
    fn receive(response: TransportResponse) -> Result<Self::Received, ClientError>;
}

/// Decodes JSON. A reply without content is `null`, which `()` and `Option` accept.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + 'static> FromReply for T {
    type Received = T;

    const EXPECTED: Expected = Expected::Value;

    fn receive(response: TransportResponse) -> Result<T, ClientError> {
        match response {
            TransportResponse::Json(json) => read_json(&json),
            TransportResponse::Empty => read_json(b"null"),
            TransportResponse::Items(_) => {
                Err(ClientError::unreadable("expected one value, got a stream"))
            }
            TransportResponse::Bytes(media, _) => {
                Err(ClientError::unreadable(format!("expected JSON, got {media}")))
            }
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> FromReply for Streaming<T> {
    type Received = ReplyStream<T>;

    const EXPECTED: Expected = Expected::Items;

    fn receive(response: TransportResponse) -> Result<ReplyStream<T>, ClientError> {
        match response {
            TransportResponse::Items(pieces) => Ok(ReplyStream::new(pieces)),
            _ => Err(ClientError::unreadable("expected a stream of values, got something else")),
        }
    }
}

impl<M: MediaType> FromReply for Raw<M> {
    type Received = ReplyBody;

    const EXPECTED: Expected = Expected::Bytes(M::NAME);

    fn receive(response: TransportResponse) -> Result<ReplyBody, ClientError> {
        match response {
            TransportResponse::Bytes(media, pieces) => Ok(ReplyBody::new(media, pieces)),
            // The media type may be JSON, and the body may be empty.
            TransportResponse::Json(json) => Ok(ReplyBody::whole("application/json", json)),
            TransportResponse::Empty => Ok(ReplyBody::whole(M::NAME, bytes::Bytes::new())),
            TransportResponse::Items(_) => {
                Err(ClientError::unreadable("expected bytes, got a stream of values"))
            }
        }
    }
}
