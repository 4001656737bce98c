//! From a request to its answer.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request as HttpRequest, Response, StatusCode,
    header, request::Parts,
};
use tower::Service;

use crate::{
    base::{
        body::{Body, BodyBudget, BodyError, BoxError, read_body_within, refuse_coded},
        call::{RequestId, sortable_id},
        digest::digest_hex,
        error::{Code, Error},
        problem,
        spec::Verb,
        start_error::StartError,
    },
    edge::admin::{
        AdminSettings, AdminState,
        auth::{Operator, OperatorAuth},
        health::readiness,
        idempotency::IdempotentOperation,
        metrics, openapi,
        operation::{Operation, OperationRequest},
        operations,
    },
    json::document::Document,
    provider::parse_idempotency_key,
};

/// The longest body, in bytes: a price list of ten thousand methods fits.
const MAX_BODY_BYTES: usize = 4 << 20;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The operator's listener as a tower service. Cheap to clone.
#[derive(Clone)]
pub struct AdminService(Arc<Inner>);

struct Inner {
    gate: OperatorAuth,
    desk: Arc<AdminState>,
    operations: Vec<Operation>,
    document: Bytes,
    budget: BodyBudget,
}

impl AdminService {
    /// Answers with what is on `desk`; bodies are buffered within `budget`.
    ///
    /// # Errors
    ///
    /// When the settings let anybody in from other machines, or have bad tokens.
    pub fn new(
        settings: &AdminSettings,
        desk: AdminState,
        budget: BodyBudget,
    ) -> Result<Self, StartError> {
        let (gate, operations) = (OperatorAuth::new(settings)?, operations::operations()?);
        let document = openapi::document(&operations, gate.requires_token()).to_string().into();
        Ok(Self(Arc::new(Inner { gate, desk: Arc::new(desk), operations, document, budget })))
    }
}

impl fmt::Debug for AdminService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("operations", &self.0.operations.len())
            .finish_non_exhaustive()
    }
}

impl<B> Service<HttpRequest<B>> for AdminService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequest<B>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let id = head
                .headers
                .get(REQUEST_ID)
                .and_then(RequestId::from_header)
                .unwrap_or_else(RequestId::generate);
            let mut response = inner.answer(&head, body, &id).await.unwrap_or_else(|error| {
                log(&head, &id, &error);
                problem::respond(&error, head.uri.path(), &id)
            });
            response.headers_mut().insert(REQUEST_ID, id.header());
            Ok(response.map(Body::from))
        })
    }
}

impl Inner {
    async fn answer<B>(
        self: &Arc<Self>,
        head: &Parts,
        body: B,
        id: &RequestId,
    ) -> Result<Response<Bytes>, Error>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let path = head.uri.path();
        self.gate.check_host(head)?;
        if path == "*" && head.method == Method::OPTIONS {
            // RFC 9110 §9.3.7: about the server as a whole.
            return Ok(options("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
        }
        if let Some(page) = self.page(head).await? {
            return Ok(page);
        }
        // Before anything else, so that strangers learn nothing.
        let operator = self.gate.admit(&head.headers)?;
        let (operation, at) = match self.find(path, &head.method)? {
            Found::Operation(operation, at) => (operation, at),
            Found::Options(allowed) => return Ok(options(allowed)),
        };
        let operation = &self.operations[operation];
        let begun = Instant::now();
        let body = if operation.verb.has_query_input() {
            Bytes::new()
        } else {
            self.read(&head.headers, body).await?
        };
        let input = operation.judge(head.uri.query().unwrap_or_default(), body)?;
        let name = Arc::clone(&operator.name);
        let (content, is_replayed) = self.carry_out(head, operation, at, operator, input).await?;
        if operation.verb != Verb::Get {
            let duration_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            let request_id = id.as_str();
            tracing::info!(target: "gateway::admin", who = &*name, request_id, asked = %format_args!("{} {path}", operation.verb), duration_us, "done");
        }
        let mut response = Response::new(content);
        *response.status_mut() = operation.status;
        if operation.output.is_some() {
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if is_replayed {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(response)
    }

    /// What anybody may read.
    async fn page(&self, head: &Parts) -> Result<Option<Response<Bytes>>, Error> {
        let (path, method) = (head.uri.path(), &head.method);
        if !["/healthz", "/readyz", "/metrics", "/openapi.json"].contains(&path) {
            return Ok(None);
        }
        if method == Method::OPTIONS {
            return Ok(Some(options(READ)));
        }
        if method != Method::GET && method != Method::HEAD {
            return Err(not_allowed(READ));
        }
        let mut media = "application/json";
        let (status, content) = match path {
            "/healthz" => (StatusCode::OK, Bytes::from_static(b"{\"status\":\"ok\"}")),
            "/metrics" => {
                let format = metrics::Format::accepted(&head.headers);
                media = format.media_type();
                (StatusCode::OK, metrics::text(&self.desk, format).into())
            }
            "/readyz" => {
                let (is_ready, content) = readiness(&self.desk).await;
                let status =
                    if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
                (status, content.to_string().into())
            }
            _ => (StatusCode::OK, self.document.clone()),
        };
        let mut response = Response::new(content);
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(Some(response))
    }

    /// All of a body, which is JSON.
    async fn read<B>(&self, headers: &HeaderMap, body: B) -> Result<Bytes, Error>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<BoxError>,
    {
        let media = headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok());
        let media =
            media.unwrap_or("application/json").split(';').next().unwrap_or_default().trim();
        refuse_coded(headers)?;
        if !media.eq_ignore_ascii_case("application/json") {
            let detail = "send JSON, with `Content-Type: application/json`";
            return Err(Error::new(Code::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        // An operator has proved who it is, or is on this machine.
        let charge = self.budget.charge(None);
        read_body_within(body, MAX_BODY_BYTES, BODY_TIMEOUT, charge)
            .await
            .map_err(BodyError::into_error)
    }

    fn find(&self, path: &str, method: &Method) -> Result<Found, Error> {
        let here = || {
            self.operations
                .iter()
                .enumerate()
                .filter_map(|(number, it)| Some((number, it, it.path_params(path)?)))
        };
        let verbs: Vec<_> = here().map(|(_, it, _)| it.verb).collect();
        if verbs.is_empty() {
            return Err(Error::not_found(
                "nothing stands at this address; /openapi.json tells what there is",
            ));
        }
        if method == Method::OPTIONS {
            return Ok(Found::Options(allowed(&verbs)));
        }
        let asked = if method == Method::HEAD { "GET" } else { method.as_str() };
        let found = here().find(|(_, it, _)| it.verb.as_str() == asked);
        found
            .map(|(number, _, at)| Found::Operation(number, at))
            .ok_or_else(|| not_allowed(allowed(&verbs)))
    }

    async fn carry_out(
        self: &Arc<Self>,
        head: &Parts,
        operation: &Operation,
        at: Vec<String>,
        operator: Operator,
        input: Document,
    ) -> Result<(Bytes, bool), Error> {
        let key = parse_idempotency_key(&head.headers).map_err(|_| {
            let detail = "the `Idempotency-Key` is no text of 1 to 255 printable ASCII characters, sent once";
            Error::new(Code::INVALID_REQUEST, detail)
        })?;
        let Some(key) = key.filter(|_| operation.creates) else {
            let name = digest_hex([&sortable_id()[..]]);
            let request = OperationRequest { path_params: at, operator, name, input };
            return Ok((operation.execute(Arc::clone(&self.desk), request).await?, false));
        };
        let mut said = input.to_value();
        said.sort_all_objects();
        let said = said.to_string();
        let keyed = IdempotentOperation {
            key,
            operation: [operation.verb.as_str(), operation.path],
            path: head.uri.path(),
            input: said.as_bytes(),
        };
        let whose = operator.clone();
        let work = |name| {
            operation.execute(
                Arc::clone(&self.desk),
                OperationRequest { path_params: at, operator, name, input },
            )
        };
        keyed.run(&self.desk, &whose, work).await
    }
}

enum Found {
    Operation(usize, Vec<String>),
    Options(&'static str),
}

/// What a page takes.
const READ: &str = "GET, HEAD, OPTIONS";

/// As in `Allow`.
fn allowed(verbs: &[Verb]) -> &'static str {
    match verbs {
        [Verb::Get] => READ,
        [Verb::Get, Verb::Put] | [Verb::Put, Verb::Get] => "GET, HEAD, PUT, OPTIONS",
        [Verb::Get, Verb::Post] | [Verb::Post, Verb::Get] => "GET, HEAD, POST, OPTIONS",
        [Verb::Post] => "POST, OPTIONS",
        [Verb::Patch] => "PATCH, OPTIONS",
        [Verb::Delete] => "DELETE, OPTIONS",
        _ => "OPTIONS",
    }
}

fn not_allowed(allowed: &'static str) -> Error {
    Error::new(Code::METHOD_NOT_ALLOWED, format!("this address takes {allowed}"))
        .with_allow(allowed)
}

fn options(allowed: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

fn log(head: &Parts, id: &RequestId, error: &Error) {
    let (request_id, code, status) = (id.as_str(), error.code().name(), error.code().status());
    let (detail, internal) = (error.detail(), error.log_message());
    let asked = format_args!("{} {}", head.method, head.uri.path());
    if error.code() == Code::INTERNAL {
        tracing::error!(target: "gateway::admin", request_id, %asked, status, code, detail, internal, "refused");
    } else {
        tracing::info!(target: "gateway::admin", request_id, %asked, status, code, detail, internal, "refused");
    }
}
