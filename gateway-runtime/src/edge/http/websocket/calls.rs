//! The execution of a message: a stream of everything that is sent because of it.

use std::{
    future::Future,
    sync::{Arc, Weak},
};

use bytes::Bytes;
use bytestring::ByteString;
use futures_util::{
    FutureExt, StreamExt,
    future::ready,
    stream::{self, BoxStream, SelectAll},
};
use http::HeaderMap;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{
    base::{
        call::{CallRequest, Input, Origin},
        error::{Code, Error},
        problem::ProblemDetails,
        reply::{Chunks, Reply},
    },
    edge::http::{
        Peer,
        request_context::RequestContext,
        routes,
        state::HttpEdge,
        websocket::{
            jsonrpc::{self, code},
            message::{BatchItem, Id, RpcMessage, RpcRequest},
            raw::RawJson,
            settings::WebSocketSettings,
        },
    },
    service::{argument::ReplyShape, registry::Method},
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

/// A message that is sent because of one request.
enum OutgoingMessage {
    /// An item of a stream, which does not wait for the other responses of a batch.
    Item(Bytes),
    /// The response, and the slot of its call.
    Response(Response),
}

/// The response to a request.
struct Response {
    /// The JSON text; `None` for a notification.
    json: Option<Bytes>,
    /// The slot of the call; `None` if the request did not become one.
    _slot: Option<OwnedSemaphorePermit>,
}

impl OutgoingMessage {
    fn without_call(json: Option<Bytes>) -> Self {
        Self::Response(Response { json, _slot: None })
    }

    fn bytes(self) -> Option<Bytes> {
        match self {
            Self::Item(item) => Some(item),
            Self::Response(response) => response.json,
        }
    }
}

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
                self.invalid(Id::NULL, format!("a batch has at most {max_requests} requests"))
            }
            Ok(RpcMessage::One(entry)) => self.entry(entry),
            Err(error) => {
                let error =
                    Error::new(Code::INVALID_REQUEST, format!("the message is no JSON: {error}"));
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
                "there is no such method; `GET /meta` lists them, here they are service.vN.method",
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
                "`params` is an object with the `id` of the call to cancel",
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
            return Err(Error::new(Code::OVERLOADED, "the gateway is closing; connect again"));
        }
        if let ReplyShape::Raw(media) = method.answer {
            let detail = format!(
                "this method answers with {media}, which is no JSON; call it at {}",
                method.path()
            );
            return Err(Error::new(Code::NOT_ACCEPTABLE, detail));
        }
        let full = |detail: &'static str| move |_| Error::new(Code::OVERLOADED, detail);
        let slot = Arc::clone(&self.slots)
            .try_acquire_owned()
            .map_err(full("this connection has as many calls in flight as it may"))?;
        let input_bytes = Arc::clone(&self.input_bytes)
            .try_acquire_many_owned(u32::try_from(input_bytes).unwrap_or(u32::MAX))
            .map_err(full(
                "the inputs of this connection's calls in flight are as long as they may be",
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
        moment.log(error, Origin::WebSocket, format_args!("a message"));
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

/// Collects the responses of a batch, and sends them together once all are there. Until then the
/// calls keep their slots, so that the responses that wait on a connection are bounded.
fn batch(entries: SelectAll<BoxStream<'static, OutgoingMessage>>) -> BoxStream<'static, Bytes> {
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

/// A call in flight.
struct ActiveCall {
    id: Option<Id>,
    method: Arc<Method>,
    moment: RequestContext,
    cancel: Arc<Notify>,
    slot: OwnedSemaphorePermit,
}

/// Returns the error of a cancelled call. Its work is dropped, as when a client disconnects.
fn cancelled() -> Error {
    Error::new(jsonrpc::CANCELLED, "the client has cancelled this call")
}

impl ActiveCall {
    /// Waits for the reply or the cancellation, and returns what is sent.
    async fn run(
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
                "the method answered with bytes, which it had not declared",
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
