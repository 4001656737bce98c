//! From an answer on the wire to what the method returned.

use serde::de::DeserializeOwned;

use crate::{
    base::reply::{MediaType, Raw, Streaming},
    edge::client::{Body, ClientError, Expected, Items, Response},
};

/// What a method answers with, as its client receives it.
#[diagnostic::on_unimplemented(
    message = "the typed client cannot receive a `{Self}`, which does not implement `Deserialize`",
    label = "this answer can be written and not read",
    note = "derive `serde::Deserialize` for `{Self}` beside `Serialize`, or put `#[model]` on it, which derives both"
)]
pub trait FromAnswer {
    /// What awaiting the call gives.
    type Received: Send + 'static;

    /// The form to ask for.
    const EXPECTED: Expected;

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// When the answer is not what the method returns.
    fn receive(response: Response) -> Result<Self::Received, ClientError>;
}

/// JSON; no content is `null`, as which `()` and `Option` read it.
#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + Send + 'static> FromAnswer for T {
    type Received = T;

    const EXPECTED: Expected = Expected::Value;

    fn receive(response: Response) -> Result<T, ClientError> {
        match response {
            Response::Json(json) => read_json(&json),
            Response::Empty => read_json(b"null"),
            Response::Items(_) => Err(ClientError::unreadable("one value is expected, and a stream of them came")),
            Response::Bytes(media, _) => Err(ClientError::unreadable(format!("JSON is expected, and {media} came"))),
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> FromAnswer for Streaming<T> {
    type Received = Items<T>;

    const EXPECTED: Expected = Expected::Items;

    fn receive(response: Response) -> Result<Items<T>, ClientError> {
        match response {
            Response::Items(pieces) => Ok(Items::new(pieces)),
            _ => Err(ClientError::unreadable("a stream of values is expected, and something else came")),
        }
    }
}

impl<M: MediaType> FromAnswer for Raw<M> {
    type Received = Body;

    const EXPECTED: Expected = Expected::Bytes(M::NAME);

    fn receive(response: Response) -> Result<Body, ClientError> {
        match response {
            Response::Bytes(media, pieces) => Ok(Body::new(media, pieces)),
            // Bytes of a media type may be JSON, or none at all.
            Response::Json(json) => Ok(Body::whole("application/json", json)),
            Response::Empty => Ok(Body::whole(M::NAME, bytes::Bytes::new())),
            Response::Items(_) => Err(ClientError::unreadable("bytes are expected, and a stream of values came")),
        }
    }
}

/// Reads one JSON value; what is wrong is told with its place.
pub(super) fn read_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, ClientError> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut reader);
    value.map_err(|error| ClientError::unreadable(format!("the answer is not what the method returns: {error}")))
}
