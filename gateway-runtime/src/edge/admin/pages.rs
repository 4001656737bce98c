//! The pages of the operator's listener that need no token: health, metrics and the document.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header, request::Parts};

use crate::{
    base::error::Error,
    edge::{
        admin::{health::readiness, metrics, state::AdminState},
        request::allow::{method_not_allowed, options},
    },
};

/// The `Allow` of a page.
pub(super) const READ: &str = "GET, HEAD, OPTIONS";

/// Returns a page that needs no token: health, metrics and the document; none for other paths.
///
/// # Errors
///
/// `method-not-allowed` for other methods than GET, HEAD and OPTIONS.
pub(super) async fn page(
    head: &Parts,
    state: &AdminState,
    document: &Bytes,
) -> Result<Option<Response<Bytes>>, Error> {
    let (path, method) = (head.uri.path(), &head.method);
    if !["/healthz", "/readyz", "/metrics", "/openapi.json"].contains(&path) {
        return Ok(None);
    }
    if method == Method::OPTIONS {
        return Ok(Some(options(READ)));
    }
    if method != Method::GET && method != Method::HEAD {
        return Err(method_not_allowed(READ));
    }
    let mut media = "application/json";
    let (status, content) = match path {
        "/healthz" => (StatusCode::OK, Bytes::from_static(b"{\"status\":\"ok\"}")),
        "/metrics" => {
            let format = metrics::Format::accepted(&head.headers);
            media = format.media_type();
            (StatusCode::OK, metrics::text(state, format).into())
        }
        "/readyz" => {
            let (is_ready, content) = readiness(state).await;
            let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            (status, content.to_string().into())
        }
        _ => (StatusCode::OK, document.clone()),
    };
    let mut response = Response::new(content);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(Some(response))
}
