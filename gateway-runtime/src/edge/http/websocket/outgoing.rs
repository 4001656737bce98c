//! A message on its way to the client: a response, a notification, or a part of a batch.

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream, SelectAll},
};
use tokio::sync::OwnedSemaphorePermit;

use crate::edge::http::websocket::jsonrpc;

/// A message that is sent because of one request.
pub(super) enum OutgoingMessage {
    /// An item of a stream, which does not wait for the other responses of a batch.
    Item(Bytes),
    /// The response, and the slot of its call.
    Response(Response),
}

/// The response to a request.
pub(super) struct Response {
    /// The JSON text; `None` for a notification.
    pub(super) json: Option<Bytes>,
    /// The slot of the call; `None` if the request did not become one.
    pub(super) _slot: Option<OwnedSemaphorePermit>,
}

impl OutgoingMessage {
    pub(super) fn without_call(json: Option<Bytes>) -> Self {
        Self::Response(Response { json, _slot: None })
    }

    pub(super) fn bytes(self) -> Option<Bytes> {
        match self {
            Self::Item(item) => Some(item),
            Self::Response(response) => response.json,
        }
    }
}

/// Collects the responses of a batch, and sends them together once all are there. Until then the
/// calls keep their slots, so that the responses that wait on a connection are bounded.
pub(super) fn batch(
    entries: SelectAll<BoxStream<'static, OutgoingMessage>>,
) -> BoxStream<'static, Bytes> {
    let next = async |state: Option<(SelectAll<_>, Vec<Response>)>| {
        let (mut entries, mut responses) = state?;
        loop {
            match entries.next().await {
                Some(OutgoingMessage::Item(item)) => {
                    return Some((item, Some((entries, responses))));
                }
                Some(OutgoingMessage::Response(response)) => responses.push(response),
                None => {
                    let json: Vec<_> =
                        responses.iter().filter_map(|response| response.json.as_ref()).collect();
                    return Some((jsonrpc::batch(&json)?, None));
                }
            }
        }
    };
    stream::unfold(Some((entries, Vec::new())), next).boxed()
}
