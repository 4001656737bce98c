//! JSON of replies.

use serde::de::DeserializeOwned;

use crate::edge::client::ClientError;

/// Decodes one JSON value; the error names the path of the invalid part.
pub(super) fn read_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, ClientError> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value = serde_path_to_error::deserialize(&mut reader);
    value.map_err(|error| {
        ClientError::unreadable(format!("the reply is not of the method's type: {error}"))
    })
}
