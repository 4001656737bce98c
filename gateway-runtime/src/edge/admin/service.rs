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
use http::{HeaderName, HeaderValue, Request as HttpRequest, Response, header, request::Parts};
use tower::Service;

use crate::{
    base::{
        body::{Body, BodyBudget, BoxError},
        call::{RequestId, sortable_id},
        digest::digest_hex,
        error::{Code, Error},
        problem,
        spec::Verb,
        start_error::StartError,
    },
    edge::{
        admin::{
            auth::{Operator, OperatorAuth},
            idempotency::IdempotentOperation,
            matching::{Found, find},
            openapi,
            operation::{Operation, OperationRequest},
            operations,
            pages::page,
            settings::AdminSettings,
            state::AdminState,
        },
        request::{
            allow::{options, server_options},
            json_body::{BodyLimits, read_json},
            request_id::REQUEST_ID,
        },
    },
    json::document::Document,
    provider::parse_idempotency_key,
};

/// The size limit of a body, in bytes. A price list of ten thousand methods fits.
const MAX_BODY_BYTES: usize = 4 << 20;
/// The time limit for receiving a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

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
        if let Some(response) = server_options(head) {
            return Ok(response);
        }
        if let Some(page) = page(head, &self.state, &self.document).await? {
            return Ok(page);
        }
        // Authentication comes before everything else, so that an anonymous client learns nothing.
        let operator = self.auth.admit(&head.headers)?;
        let (operation, path_params) = match find(&self.operations, path, &head.method)? {
            Found::Operation(operation, path_params) => (operation, path_params),
            Found::Options(allowed) => return Ok(options(allowed)),
        };
        let begun = Instant::now();
        let body = if operation.verb.has_query_input() {
            Bytes::new()
        } else {
            let limits = self.body_limits();
            read_json(&head.headers, body, limits).await?
        };
        let input = operation.judge(head.uri.query().unwrap_or_default(), body)?;
        let name = Arc::clone(&operator.name);
        let (content, is_replayed) =
            self.execute(head, operation, path_params, operator, input).await?;
        if operation.verb != Verb::Get {
            log_done(operation, &name, path, id, begun.elapsed());
        }
        Ok(respond(operation, content, is_replayed))
    }

    /// Operators are authenticated or on this machine, so no client address is charged.
    fn body_limits(&self) -> BodyLimits {
        let charge = self.budget.charge(None);
        BodyLimits { bytes: MAX_BODY_BYTES, timeout: BODY_TIMEOUT, charge }
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
            let detail = "invalid header `Idempotency-Key`; send it once, with 1 to 255 printable \
                          ASCII characters";
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

/// Returns the response with the content that an operation returned.
fn respond(operation: &Operation, content: Bytes, is_replayed: bool) -> Response<Bytes> {
    let mut response = Response::new(content);
    *response.status_mut() = operation.status;
    let headers = response.headers_mut();
    if operation.output.is_some() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if is_replayed {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// Logs an operation that may have changed something.
fn log_done(operation: &Operation, operator: &str, path: &str, id: &RequestId, time: Duration) {
    tracing::info!(
        target: "gateway::admin",
        operator,
        request_id = id.as_str(),
        http.request.method = operation.verb.as_str(),
        url.path = path,
        duration_us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
        "done"
    );
}

/// Logs a request that was refused or failed.
fn log(head: &Parts, id: &RequestId, error: &Error) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: "gateway::admin",
                request_id = id.as_str(),
                http.request.method = head.method.as_str(),
                url.path = head.uri.path(),
                status = error.code().status(),
                code = error.code().name(),
                detail = error.detail(),
                internal = error.log_message(),
                "refused"
            )
        };
    }
    if error.code() == Code::INTERNAL { line!(error) } else { line!(info) }
}
