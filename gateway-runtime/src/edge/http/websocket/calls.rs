//! The execution of a message: a stream of everything that is sent because of it.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::{
    FutureExt, StreamExt,
    future::ready,
    stream::{self, BoxStream},
};
use http::HeaderMap;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::edge::http::websocket_settings::WebSocketSettings;
use crate::{
    base::{
        call::{CallRequest, Input, Origin},
        error::{Code, Error},
        problem::ProblemDetails,
    },
    edge::http::{
        Peer,
        request_context::RequestContext,
        routes,
        state::HttpEdge,
        websocket::{
            active_call::ActiveCall,
            jsonrpc::{self, code},
            message::{BatchItem, Id, RpcMessage, RpcRequest},
            outgoing::{OutgoingMessage, batch},
            raw::RawJson,
        },
    },
    service::{into_reply::ReplyShape, registry::Method},
};

/// The calls of one connection.
pub(super) struct Calls {
    edge: HttpEdge,
    /// Header fields of the handshake, which apply to each call.
    headers: HeaderMap,
    peer: Peer,
    /// Slots of calls in flight; in a batch, a call keeps its slot until the batch has its
    /// response.
    slots: Arc<Semaphore>,
    /// Bytes left for the inputs of calls that have no reply yet.
    input_bytes: Arc<Semaphore>,
    /// The cancellation signals of the calls in flight, by request id.
    cancels: Vec<(Id, Weak<Notify>)>,
    /// The server shuts down, so that new calls fail.
    closing: bool,
}

/// The only method of the protocol itself; the names of services' methods contain dots.
const CANCEL: &str = "cancel";

impl Calls {
    /// Creates the calls of a connection, without any in flight.
    pub(super) fn new(edge: HttpEdge, headers: HeaderMap, peer: Peer) -> Self {
        let WebSocketSettings { calls, input_bytes, message_bytes, .. } = edge.settings().websocket;
        let slots = Arc::new(Semaphore::new(calls));
        // One message of maximum size always fits.
        let input_bytes =
            Arc::new(Semaphore::new(input_bytes.max(message_bytes).min(Semaphore::MAX_PERMITS)));
        Self { edge, headers, peer, slots, input_bytes, cancels: Vec::new(), closing: false }
    }

    /// Makes all further calls fail with `overloaded`.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Executes `message`, and returns everything that is sent because of it. Dropping the stream
    /// cancels the calls.
    pub(super) fn answer(&mut self, message: &ByteString) -> BoxStream<'static, Bytes> {
        let max_requests = self.edge.settings().websocket.calls;
        let sent = match RpcMessage::parse(message, max_requests) {
            Ok(RpcMessage::Batch(entries)) => {
                return batch(entries.into_iter().map(|entry| self.entry(entry)).collect());
            }
            // Without the limit, a few bytes could cause megabytes of responses.
            Ok(RpcMessage::TooMany) => {
                self.invalid(Id::NULL, format!("a batch must have at most {max_requests} requests"))
            }
            Ok(RpcMessage::One(entry)) => self.entry(entry),
            Err(error) => {
                let error =
                    Error::new(Code::INVALID_REQUEST, format!("the message is not JSON: {error}"));
                self.refuse(Some(Id::NULL), code::PARSE_ERROR, &error)
            }
        };
        sent.filter_map(|sent| ready(sent.bytes())).boxed()
    }

    /// Starts the call of one request.
    fn entry(&mut self, entry: BatchItem) -> BoxStream<'static, OutgoingMessage> {
        let RpcRequest { id, method: name, params } = match entry {
            BatchItem::RpcRequest(request) => request,
            BatchItem::Invalid(id, why) => return self.invalid(id, why.to_owned()),
        };
        if name == CANCEL {
            return self.cancel(id, params.as_deref());
        }
        let Some(method) = self.edge.routes().method_named(&name).cloned() else {
            let error = Error::not_found(
                "method not found; `GET /meta` lists the methods, which are service.vN.method here",
            );
            return self.refuse(id, code::METHOD_NOT_FOUND, &error);
        };
        let (slot, input_bytes) = match self.admit(&method, params.as_ref().map_or(0, Bytes::len)) {
            Ok(admitted) => admitted,
            Err(error) => return self.refuse(id, jsonrpc::number(&error), &error),
        };
        let moment = RequestContext::now(None, self.peer.clone());
        let call = self.edge.begin(&method, &moment, Origin::WebSocket, self.headers.clone());
        let input = params.map_or(Input::None, Input::Json);
        let reply = self.edge.pipeline().call(&method, CallRequest { call, input });
        let reply = reply.map(move |reply| {
            drop(input_bytes);
            reply
        });
        let running = ActiveCall { id, method, moment, cancel: Arc::default(), slot };
        self.register(&running);
        running.run(reply).flatten_stream().boxed()
    }

    /// Stores the cancellation signal of a call, and removes those of calls that have ended.
    fn register(&mut self, call: &ActiveCall) {
        self.cancels.retain(|(_, cancel)| cancel.strong_count() > 0);
        self.cancels.extend(call.id.clone().map(|id| (id, Arc::downgrade(&call.cancel))));
    }

    /// Cancels the calls whose id is in `params`, compared byte for byte. A call that has already
    /// ended does not count.
    fn cancel(&self, id: Option<Id>, params: Option<&[u8]>) -> BoxStream<'static, OutgoingMessage> {
        let params =
            params.and_then(|params| RawJson::check(std::str::from_utf8(params).ok()?).ok());
        let of_name =
            |(name, id): (RawJson<'_>, _)| (name.to_text().as_deref() == Some("id")).then_some(id);
        let Some(cancelled) = params.and_then(|params| params.members().find_map(of_name)) else {
            let error = Error::new(
                Code::INVALID_REQUEST,
                "`params` must be an object with the `id` of the call to cancel",
            );
            return self.refuse(id, code::INVALID_PARAMS, &error);
        };
        let of_that_id = self.cancels.iter().filter(|(id, _)| id.is(cancelled));
        of_that_id
            .filter_map(|(_, cancel)| cancel.upgrade())
            .for_each(|cancel| cancel.notify_one());
        stream::once(ready(OutgoingMessage::without_call(
            id.map(|id| jsonrpc::success(&id, b"null")),
        )))
        .boxed()
    }

    /// Acquires a slot for a call, and the bytes of its input.
    fn admit(
        &self,
        method: &Method,
        input_bytes: usize,
    ) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Error> {
        if self.closing {
            return Err(Error::new(
                Code::OVERLOADED,
                "the gateway is shutting down; connect again",
            ));
        }
        if let ReplyShape::Raw(media) = method.answer {
            let detail = format!(
                "the method replies with {media}, which is not JSON; call it at {}",
                method.path()
            );
            return Err(Error::new(Code::NOT_ACCEPTABLE, detail));
        }
        let full = |detail: &'static str| move |_| Error::new(Code::OVERLOADED, detail);
        let slot = Arc::clone(&self.slots)
            .try_acquire_owned()
            .map_err(full("too many calls are in flight on this connection; wait for replies"))?;
        let input_bytes = Arc::clone(&self.input_bytes)
            .try_acquire_many_owned(u32::try_from(input_bytes).unwrap_or(u32::MAX))
            .map_err(full(
                "the inputs of the calls in flight on this connection are too long; wait for \
                 replies",
            ))?;
        Ok((slot, input_bytes))
    }

    /// Returns the response to an invalid request.
    fn invalid(&self, id: Id, why: String) -> BoxStream<'static, OutgoingMessage> {
        self.refuse(Some(id), code::INVALID_REQUEST, &Error::new(Code::INVALID_REQUEST, why))
    }

    /// Logs a request that did not become a call, and returns its response.
    fn refuse(
        &self,
        id: Option<Id>,
        number: i32,
        error: &Error,
    ) -> BoxStream<'static, OutgoingMessage> {
        let moment = RequestContext::now(None, self.peer.clone());
        moment.log(error, Origin::WebSocket, None);
        let response = id.map(|id| {
            jsonrpc::failure(
                &id,
                number,
                error,
                ProblemDetails::new(error, routes::WEBSOCKET, &moment.id),
            )
        });
        stream::once(ready(OutgoingMessage::without_call(response))).boxed()
    }
}
