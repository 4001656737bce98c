//! The operator's listener as a tower service: matches a request, authenticates its operator,
//! validates its input and executes its operation.

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

/// The size limit of a body, in bytes. A price list of ten thousand methods fits.
const MAX_BODY_BYTES: usize = 4 << 20;
/// The time limit for receiving a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The operator's listener as a tower service. Cheap to clone.
#[derive(Clone)]
pub struct AdminService(Arc<Inner>);

struct Inner {
    auth: OperatorAuth,
    state: Arc<AdminState>,
    operations: Vec<Operation>,
    document: Bytes,
    budget: BodyBudget,
}

impl AdminService {
    /// Creates the service over `state`; bodies are buffered within `budget`.
    ///
    /// # Errors
    ///
    /// Fails if other machines could connect without a token, or a token is unsuitable.
    pub fn new(
        settings: &AdminSettings,
        state: AdminState,
        budget: BodyBudget,
    ) -> Result<Self, StartError> {
        let (auth, operations) = (OperatorAuth::new(settings)?, operations::operations()?);
        let document = openapi::document(&operations, auth.requires_token()).to_string().into();
        Ok(Self(Arc::new(Inner { auth, state: Arc::new(state), operations, document, budget })))
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
    /// Returns the response to a request.
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
        self.auth.check_host(head)?;
        if path == "*" && head.method == Method::OPTIONS {
            // RFC 9110 §9.3.7: `OPTIONS *` is about the server as a whole.
            return Ok(options("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
        }
        if let Some(page) = self.page(head).await? {
            return Ok(page);
        }
        // Authentication comes before everything else, so that an anonymous client learns nothing.
        let operator = self.auth.admit(&head.headers)?;
        let (operation, path_params) = match self.find(path, &head.method)? {
            Found::Operation(operation, path_params) => (operation, path_params),
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
        let (content, is_replayed) =
            self.execute(head, operation, path_params, operator, input).await?;
        if operation.verb != Verb::Get {
            let duration_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            let request_id = id.as_str();
            tracing::info!(
                target: "gateway::admin",
                operator = &*name,
                request_id,
                http.request.method = operation.verb.as_str(),
                url.path = path,
                duration_us,
                "done"
            );
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

    /// Returns a page that needs no token: health, metrics and the document; none for other paths.
    ///
    /// # Errors
    ///
    /// `method-not-allowed` for other methods than GET, HEAD and OPTIONS.
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
                (StatusCode::OK, metrics::text(&self.state, format).into())
            }
            "/readyz" => {
                let (is_ready, content) = readiness(&self.state).await;
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

    /// Reads a JSON body to its end.
    ///
    /// # Errors
    ///
    /// `unsupported-media-type` for other media types, and the errors of reading a body.
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
        // Operators are authenticated or on this machine, so no client address is charged.
        let charge = self.budget.charge(None);
        read_body_within(body, MAX_BODY_BYTES, BODY_TIMEOUT, charge)
            .await
            .map_err(BodyError::into_error)
    }

    /// Finds the operation of a path and an HTTP method.
    ///
    /// # Errors
    ///
    /// `not-found`, or `method-not-allowed` with the methods of the path.
    fn find(&self, path: &str, method: &Method) -> Result<Found, Error> {
        let matching = || {
            self.operations
                .iter()
                .enumerate()
                .filter_map(|(index, it)| Some((index, it, it.path_params(path)?)))
        };
        let verbs: Vec<_> = matching().map(|(_, it, _)| it.verb).collect();
        if verbs.is_empty() {
            return Err(Error::not_found("not found; /openapi.json lists the operations"));
        }
        if method == Method::OPTIONS {
            return Ok(Found::Options(allowed(&verbs)));
        }
        let verb = if method == Method::HEAD { "GET" } else { method.as_str() };
        let found = matching().find(|(_, it, _)| it.verb.as_str() == verb);
        found
            .map(|(index, _, path_params)| Found::Operation(index, path_params))
            .ok_or_else(|| not_allowed(allowed(&verbs)))
    }

    /// Executes an operation, once for each idempotency key if it creates something. The flag is
    /// true for a stored reply.
    async fn execute(
        self: &Arc<Self>,
        head: &Parts,
        operation: &Operation,
        path_params: Vec<String>,
        operator: Operator,
        input: Document,
    ) -> Result<(Bytes, bool), Error> {
        let key = parse_idempotency_key(&head.headers).map_err(|_| {
            let detail = "the `Idempotency-Key` is no text of 1 to 255 printable ASCII characters, \
                          sent once";
            Error::new(Code::INVALID_REQUEST, detail)
        })?;
        let Some(key) = key.filter(|_| operation.creates) else {
            let name = digest_hex([&sortable_id()[..]]);
            let request = OperationRequest { path_params, operator, name, input };
            return Ok((operation.execute(Arc::clone(&self.state), request).await?, false));
        };
        let mut canonical = input.to_value();
        canonical.sort_all_objects();
        let canonical = canonical.to_string();
        let keyed = IdempotentOperation {
            key,
            operation: [operation.verb.as_str(), operation.path],
            path: head.uri.path(),
            input: canonical.as_bytes(),
        };
        let key_owner = operator.clone();
        let work = |name| {
            operation.execute(
                Arc::clone(&self.state),
                OperationRequest { path_params, operator, name, input },
            )
        };
        keyed.run(&self.state, &key_owner, work).await
    }
}

/// The result of matching a path and an HTTP method: an operation with its path parameters, or
/// the allowed methods for OPTIONS.
enum Found {
    Operation(usize, Vec<String>),
    Options(&'static str),
}

/// The `Allow` of a page.
const READ: &str = "GET, HEAD, OPTIONS";

/// Returns the value of `Allow` for an address with these methods.
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

/// Returns `method-not-allowed`, with the methods that are allowed.
fn not_allowed(allowed: &'static str) -> Error {
    Error::new(Code::METHOD_NOT_ALLOWED, format!("method not allowed; use {allowed}"))
        .with_allow(allowed)
}

/// Returns the response to OPTIONS, with `Allow`.
fn options(allowed: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Logs a request that was refused or failed.
fn log(head: &Parts, id: &RequestId, error: &Error) {
    let (request_id, code, status) = (id.as_str(), error.code().name(), error.code().status());
    let (detail, internal) = (error.detail(), error.log_message());
    let (method, path) = (head.method.as_str(), head.uri.path());
    if error.code() == Code::INTERNAL {
        tracing::error!(
            target: "gateway::admin",
            request_id,
            http.request.method = method,
            url.path = path,
            status,
            code,
            detail,
            internal,
            "refused"
        );
    } else {
        tracing::info!(
            target: "gateway::admin",
            request_id,
            http.request.method = method,
            url.path = path,
            status,
            code,
            detail,
            internal,
            "refused"
        );
    }
}
