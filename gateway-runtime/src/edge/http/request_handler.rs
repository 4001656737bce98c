//! The handler of the HTTP server: matches the route, decodes the input, calls the pipeline and
//! encodes the response.
//!
//! Allocations of one call here, besides the share of hyper and the pipeline: its id (32 bytes, and
//! a reference count), the `Call` (320 bytes), the query if there is one, and the response's header
//! table. Header fields are moved into the call, and a body that came in one chunk is not copied.

use std::{
    mem,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Request, Response, header, request::Parts};
use http_body::Body as _;
use hyper::body::Incoming;

pub(super) use crate::edge::http::request_context::RequestContext;
#[cfg(feature = "websocket")]
use crate::edge::http::websocket;
use crate::{
    base::{
        body::Body,
        call::{Call, CallRequest, Input, Origin, RequestId},
        error::Error,
        problem,
        reply::Reply,
        spec::Effect,
    },
    edge::{
        http::{
            Peer,
            compression::{AcceptEncoding, PublishedDocument, Untouched},
            connection::refusal,
            cors::Cors,
            decode, encode,
            etag::{self, KnownTags},
            handler::Handler,
            routes::{self, FoundRoute, MethodMatch, RouteTarget},
            state::HttpEdge,
            stream::StreamFormat,
            webhook::WebhookKey,
        },
        request::{
            allow::{options, server_options},
            json_body::{self, BodyLimits, checked_json},
            request_id::REQUEST_ID,
        },
    },
    pipeline::{may_have_happened, panicked},
    service::{into_reply::ReplyShape, registry::Method},
};

impl HttpEdge {
    /// Returns the response, or the error of a request that did not become a call.
    ///
    /// The head is borrowed: arguments that an `async fn` takes by value take space in every future
    /// around it.
    async fn answer(
        &self,
        head: &mut Parts,
        body: Incoming,
        context: &RequestContext,
    ) -> Result<Response<Body>, Error> {
        self.state().hosts.check(head)?;
        refusal::check_connect(head)?;
        if let Some(response) = server_options(head) {
            return Ok(response.map(Body::from));
        }
        let routes = self.routes();
        let path = head.uri.path();
        let target = match routes.find(path) {
            Some(FoundRoute::Target(target)) => target,
            Some(FoundRoute::Configured(route)) => {
                return route.answer(whole(head, body), context, self.settings()).await;
            }
            // A path without a route ends here.
            None => return Err(routes.not_found(path)),
        };
        if let Some(verb) = target.verb()
            && !target.takes_connect(&head.method)
            && routes::admit(&head.method, verb)? == MethodMatch::Options
        {
            return Ok(options(routes::allowed(verb)).map(Body::from));
        }
        match target {
            RouteTarget::Method(method) => self.call(method, head, body, context).await,
            RouteTarget::Webhook(method, key) => {
                self.webhook(method, key, head, body, context).await
            }
            RouteTarget::Page(page) => {
                let mut response = page(path, &head.headers)?.map(Body::from);
                response.extensions_mut().insert(PublishedDocument);
                Ok(response)
            }
            #[cfg(feature = "websocket")]
            RouteTarget::WebSocket => websocket::open(self, whole(head, body), context),
            RouteTarget::Mount(mount) => {
                let mut request = whole(head, body).map(Body::wrap);
                request.headers_mut().insert(REQUEST_ID, context.id.header());
                let mut response = mount.call(request, context.peer.clone()).await?;
                response.extensions_mut().insert(Untouched);
                Ok(response)
            }
        }
    }

    async fn call(
        &self,
        method: &Arc<Method>,
        head: &mut Parts,
        body: Incoming,
        context: &RequestContext,
    ) -> Result<Response<Body>, Error> {
        // Negotiated first: a stream that its client cannot read must not begin.
        let form = accepted(method, &head.headers)?;
        let call = self.begin(method, context, Origin::Http, mem::take(&mut head.headers));
        // The caller is authorised from the head, before a body is read (SEMANTICS §4).
        let authorized = match decode::reads_body(method) && !body.is_end_stream() {
            true => Some(self.pipeline().authorize(method, &call).await),
            false => None,
        };
        let input = match &authorized {
            Some(Err(_)) => Input::None,
            _ => {
                let limits = self.body_limits(context);
                decode::input(method, &head.uri, call.headers(), body, limits).await?
            }
        };
        let request = CallRequest { call: call.clone(), input };
        let outcome = self.pipeline().call_authorized(method, request, authorized).await;
        Ok(self.respond((call, outcome), head, form, context))
    }

    async fn webhook(
        &self,
        method: &Arc<Method>,
        key: &WebhookKey,
        head: &mut Parts,
        body: Incoming,
        context: &RequestContext,
    ) -> Result<Response<Body>, Error> {
        let body = json_body::read(body, self.body_limits(context)).await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // The signature covers the bytes of the body; nothing else is read before it is verified.
        let mut signature = key.verify(&head.headers, &body, now, &self.state().replay_guard)?;
        let form = accepted(method, &head.headers)?;
        let input = if method.input.is_none() {
            Input::None
        } else {
            Input::Json(checked_json(&head.headers, body)?)
        };
        // Set before the call: a sender that disconnects drops this future in the middle of it.
        signature.set_used(matches!(method.spec.effect, Effect::Once | Effect::Keyed));
        let call = self.begin(method, context, Origin::Webhook, mem::take(&mut head.headers));
        let request = CallRequest { call: call.clone(), input };
        let outcome = self.pipeline().call(method, request).await;
        let is_judged = outcome.as_ref().err().is_none_or(|error| error.violations().is_empty());
        signature.set_used(is_judged && may_have_happened(&call, &outcome));
        Ok(self.respond((call, outcome), head, form, context))
    }

    fn body_limits(&self, context: &RequestContext) -> BodyLimits {
        let limits = &self.settings().limits;
        BodyLimits {
            bytes: limits.body_bytes,
            timeout: limits.body_timeout,
            charge: self.budget().charge(Some(context.peer.address().ip())),
        }
    }

    /// Returns the response to a call that has ended.
    fn respond(
        &self,
        (call, outcome): (Call, Result<Reply, Error>),
        head: &Parts,
        form: StreamFormat,
        context: &RequestContext,
    ) -> Response<Body> {
        let mut response = match outcome {
            Ok(reply) => encode::response(
                reply,
                form,
                head.uri.path(),
                context,
                self.settings().drain_timeout,
            ),
            Err(error) => problem::respond(&error, head.uri.path(), &context.id).map(Body::from),
        };
        if let Some(headers) = call.take_response_headers() {
            response.headers_mut().extend(headers);
        }
        response
    }
}

/// Reassembles the request for a target that takes it whole. `head` keeps method and URI, for the
/// log.
fn whole(head: &mut Parts, body: Incoming) -> Request<Incoming> {
    let mut rest = Request::new(()).into_parts().0;
    (rest.method, rest.uri) = (head.method.clone(), head.uri.clone());
    Request::from_parts(mem::replace(head, rest), body)
}

impl Handler for HttpEdge {
    async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (mut head, body) = request.into_parts();
        let context = RequestContext::now(head.headers.get(REQUEST_ID), peer);
        let compression = self.state().compression.as_ref();
        let accepted = compression.and_then(|_| AcceptEncoding::of(&head.headers));
        let known = KnownTags::of(&head.headers);
        let mut response = match &self.state().cors {
            None => self.serve(&mut head, body, &context).await,
            Some(cors) => self.serve_across(cors, &mut head, body, &context).await,
        };
        response.headers_mut().insert(REQUEST_ID, context.id.header());
        if let Some(compression) = compression {
            compression.apply(accepted, &known, &mut response);
        }
        if response.extensions_mut().remove::<PublishedDocument>().is_some() {
            etag::omit_known(&known, &mut response);
        }
        response
    }
}

impl HttpEdge {
    /// Returns the response or, for an error or a panic, the problem.
    async fn serve(
        &self,
        head: &mut Parts,
        body: Incoming,
        context: &RequestContext,
    ) -> Response<Body> {
        let answered = AssertUnwindSafe(self.answer(head, body, context)).catch_unwind().await;
        answered.unwrap_or_else(|panic| Err(panicked(&*panic))).unwrap_or_else(|error| {
            context.log(&error, Origin::Http, Some((&head.method, head.uri.path())));
            refuse(&error, head.uri.path(), &context.id)
        })
    }

    /// Serves a request as [`serve`](Self::serve) does, and applies CORS. A mounted service has
    /// CORS rules of its own.
    async fn serve_across(
        &self,
        cors: &Cors,
        head: &mut Parts,
        body: Incoming,
        context: &RequestContext,
    ) -> Response<Body> {
        let target = match self.routes().find(head.uri.path()) {
            Some(FoundRoute::Target(target)) => Some(target),
            Some(FoundRoute::Configured(_)) | None => None,
        };
        if matches!(target, Some(RouteTarget::Mount(_))) {
            return self.serve(head, body, context).await;
        }
        let methods = target
            .and_then(RouteTarget::verb)
            .map_or("GET, HEAD, POST, PUT, PATCH, DELETE", routes::allowed);
        if self.state().hosts.check(head).is_ok()
            && let Some(response) = cors.preflight(&head.method, &head.headers, methods)
        {
            return response;
        }
        let origin = head.headers.get(header::ORIGIN).cloned();
        let mut response = self.serve(head, body, context).await;
        cors.decorate(origin.as_ref(), response.headers_mut());
        response
    }
}

fn accepted(method: &Method, headers: &HeaderMap) -> Result<StreamFormat, Error> {
    match method.answer {
        ReplyShape::Items(_) => StreamFormat::accepted(headers),
        ReplyShape::Empty | ReplyShape::Json(_) | ReplyShape::Raw(_) => Ok(StreamFormat::Sse),
    }
}

/// Returns the problem for a request that did not become a call.
fn refuse(error: &Error, instance: &str, id: &RequestId) -> Response<Body> {
    let mut response = problem::respond(error, instance, id).map(Body::from);
    // Before the pipeline, only webhooks are authenticated.
    if let Some(scheme) = response.headers_mut().get_mut(header::WWW_AUTHENTICATE) {
        *scheme = HeaderValue::from_static("Webhook-Signature");
    }
    response
}
