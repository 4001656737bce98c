//! A call in flight on a WebSocket.

use std::{future::Future, sync::Arc};

use futures_util::{
    StreamExt,
    future::ready,
    stream::{self, BoxStream},
};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use crate::{
    base::{
        error::Error,
        problem::ProblemDetails,
        reply::{Chunks, Reply},
    },
    edge::http::{
        request_context::RequestContext,
        websocket::{
            jsonrpc,
            message::Id,
            outgoing::{OutgoingMessage, Response},
        },
    },
    service::registry::Method,
};

/// A call in flight.
pub(super) struct ActiveCall {
    pub(super) id: Option<Id>,
    pub(super) method: Arc<Method>,
    pub(super) moment: RequestContext,
    pub(super) cancel: Arc<Notify>,
    pub(super) slot: OwnedSemaphorePermit,
}

/// Returns the error of a cancelled call. Its work is dropped, as when a client disconnects.
fn cancelled() -> Error {
    Error::new(jsonrpc::CANCELLED, "the client has cancelled this call")
}

impl ActiveCall {
    /// Waits for the reply or the cancellation, and returns what is sent.
    pub(super) async fn run(
        self,
        reply: impl Future<Output = Result<Reply, Error>> + Send,
    ) -> BoxStream<'static, OutgoingMessage> {
        let reply = tokio::select! {
            biased;
            reply = reply => reply,
            () = self.cancel.notified() => Err(cancelled()),
        };
        let response = match reply {
            // A stream without an id is not read: its items could not be addressed.
            Ok(Reply::Items(chunks)) if self.id.is_some() => return self.items(chunks),
            Ok(Reply::Json(json)) => self.response(Ok(&json)),
            Ok(Reply::Empty | Reply::Items(_)) => self.response(Ok(b"null")),
            Ok(Reply::Raw(..) | Reply::RawStream(..)) => self.response(Err(&Error::internal(
                "the method replied with bytes, which it had not declared",
            ))),
            Err(error) => self.response(Err(&error)),
        };
        stream::once(ready(response)).boxed()
    }

    /// Sends each item as a notification, then the response.
    fn items(self, chunks: Chunks) -> BoxStream<'static, OutgoingMessage> {
        let next = async |state: Option<(Self, Chunks)>| {
            let (this, mut chunks) = state?;
            let item = tokio::select! {
                biased;
                () = this.cancel.notified() => Some(Err(cancelled())),
                item = chunks.next() => item,
            };
            match item {
                Some(Ok(item)) => {
                    let item = jsonrpc::item(this.id.as_ref().unwrap_or(&Id::NULL), &item);
                    Some((OutgoingMessage::Item(item), Some((this, chunks))))
                }
                Some(Err(error)) => Some((this.response(Err(&error)), None)),
                None => Some((this.response(Ok(b"null")), None)),
            }
        };
        stream::unfold(Some((self, chunks)), next).boxed()
    }

    /// Creates the response that ends the call.
    fn response(self, outcome: Result<&[u8], &Error>) -> OutgoingMessage {
        let json = self.id.as_ref().map(|id| match outcome {
            Ok(result) => jsonrpc::success(id, result),
            Err(error) => {
                let instance = self.method.path();
                jsonrpc::failure(
                    id,
                    jsonrpc::number(error),
                    error,
                    ProblemDetails::new(error, &instance, &self.moment.id),
                )
            }
        });
        OutgoingMessage::Response(Response { json, _slot: Some(self.slot) })
    }
}
