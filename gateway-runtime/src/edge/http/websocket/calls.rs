//! What one message asks for, carried out: a stream of all that is sent because of it.

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
        handler::{HttpEdge, RequestContext},
        routes,
        websocket::{
            WebSocketSettings,
            jsonrpc::{self, code},
            message::{BatchItem, Id, RpcMessage, RpcRequest},
            raw::RawJson,
        },
    },
    service::{argument::ReplyShape, registry::Method},
};

/// The calls of one connection.
pub(super) struct Calls {
    edge: HttpEdge,
    /// Those of the handshake belong to each call.
    headers: HeaderMap,
    peer: Peer,
    /// One for each call in flight; in a batch a call keeps its own until the batch is answered.
    slots: Arc<Semaphore>,
    /// One for each byte of the inputs of calls that have no answer yet.
    input_bytes: Arc<Semaphore>,
    /// How each call in flight is told to end.
    cancels: Vec<(Id, Weak<Notify>)>,
    closing: bool,
}

/// The one method of the protocol's own; those of services have dots in their names.
const CANCEL: &str = "cancel";

/// What is sent because of one request.
enum OutgoingMessage {
    /// An item of a stream; it does not wait for the rest of a batch.
    Item(Bytes),
    /// The response, and the call's slot.
    Response(Response),
}

/// The end of a request.
struct Response {
    /// None to a notification.
    json: Option<Bytes>,
    /// None where there was no call.
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
    pub(super) fn new(edge: HttpEdge, headers: HeaderMap, peer: Peer) -> Self {
        let WebSocketSettings { calls, input_bytes, message_bytes, .. } = edge.settings().websocket;
        let slots = Arc::new(Semaphore::new(calls));
        // One message is always let through.
        let input_bytes =
            Arc::new(Semaphore::new(input_bytes.max(message_bytes).min(Semaphore::MAX_PERMITS)));
        Self { edge, headers, peer, slots, input_bytes, cancels: Vec::new(), closing: false }
    }

    /// From now on calls are answered `overloaded`.
    pub(super) fn close(&mut self) {
        self.closing = true;
    }

    /// Carries out what `message` asks for. Dropping the stream cancels it.
    pub(super) fn answer(&mut self, message: &ByteString) -> BoxStream<'static, Bytes> {
        let most = self.edge.settings().websocket.calls;
        let sent = match RpcMessage::parse(message, most) {
            Ok(RpcMessage::Batch(entries)) => {
                return batch(entries.into_iter().map(|entry| self.entry(entry)).collect());
            }
            // Else a few bytes could ask for megabytes of answers.
            Ok(RpcMessage::TooMany) => {
                self.invalid(Id::NULL, format!("a batch has at most {most} requests"))
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
        self.remember(&running);
        running.run(reply).flatten_stream().boxed()
    }

    fn remember(&mut self, call: &ActiveCall) {
        self.cancels.retain(|(_, cancel)| cancel.strong_count() > 0);
        self.cancels.extend(call.id.clone().map(|id| (id, Arc::downgrade(&call.cancel))));
    }

    /// Ends the calls whose id is in `params`, byte for byte; one that has ended already is none.
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

    /// Takes a slot for a call, and room for its input.
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

    fn invalid(&self, id: Id, why: String) -> BoxStream<'static, OutgoingMessage> {
        self.refuse(Some(id), code::INVALID_REQUEST, &Error::new(Code::INVALID_REQUEST, why))
    }

    /// What did not become a call.
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

/// The answer to a batch is sent whole, once all of it is there. Until then its calls keep their slots, so that no more
/// than so many responses wait on a connection.
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

/// A call on its way.
struct ActiveCall {
    id: Option<Id>,
    method: Arc<Method>,
    moment: RequestContext,
    cancel: Arc<Notify>,
    slot: OwnedSemaphorePermit,
}

/// As when a client leaves, what the call had begun is dropped.
fn cancelled() -> Error {
    Error::new(jsonrpc::CANCELLED, "the client has cancelled this call")
}

impl ActiveCall {
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
            // Nobody could be told the items of a stream that has no id.
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

    /// Each item as a notification, then the response.
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

    /// The end of the call.
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
