//! A mount: an author's own tower service (an axum router, say) under a path prefix.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use http::{Request, Response, Uri, uri::PathAndQuery};
use hyper::body::Incoming;
use tower::{Service, ServiceExt};

use crate::{
    base::{
        body::{Body, BoxError},
        call::RequestId,
        error::Error,
        problem,
        start_error::StartError,
    },
    edge::{
        http::{Peer, handler::Handler},
        request::request_id::REQUEST_ID,
    },
};

type BoxedService =
    dyn Fn(Request<Body>) -> BoxFuture<'static, Result<Response<Body>, BoxError>> + Send + Sync;

/// A tower service and the path prefix that it serves.
///
/// The service receives paths without the prefix. Its requests carry `X-Request-Id` and, among
/// their extensions, the [`Peer`]; bodies stream through without the limits of methods. The service
/// is not part of the pipeline: authentication and logging are its own responsibility.
#[derive(Clone)]
pub struct Mount {
    prefix: Box<str>,
    call: Arc<BoxedService>,
}

impl Mount {
    /// Creates a mount of `service` at `prefix`: `/` for every path that nothing else serves, or
    /// segments without a slash at the end.
    ///
    /// # Errors
    ///
    /// `prefix` is not such a path.
    pub fn new<S, B>(prefix: &str, service: S) -> Result<Self, StartError>
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<BoxError>,
        S::Future: Send + 'static,
        B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        check(prefix).map_err(|why| StartError::new(format!("the mount at `{prefix}`: {why}")))?;
        let call = move |request| -> BoxFuture<'static, Result<Response<Body>, BoxError>> {
            // A service may be called only after this clone of it was polled ready
            // (`tower::Service`); `oneshot` does both.
            let answer = service.clone().oneshot(request);
            Box::pin(async move { Ok(answer.await.map_err(Into::into)?.map(Body::wrap)) })
        };
        Ok(Self { prefix: prefix.into(), call: Arc::new(call) })
    }

    /// Returns the path prefix.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Calls the service, with the prefix removed from the path.
    ///
    /// # Errors
    ///
    /// `internal` when the service returns an error instead of a response.
    pub(super) async fn call(
        &self,
        mut request: Request<Body>,
        peer: Peer,
    ) -> Result<Response<Body>, Error> {
        if let Some(inner) = without_prefix(request.uri(), &self.prefix) {
            *request.uri_mut() = inner;
        }
        request.extensions_mut().insert(peer);
        (self.call)(request).await.map_err(|error| {
            Error::internal(format!("the service mounted at `{}` failed: {error}", self.prefix))
        })
    }
}

/// Serves a mount as the only handler of a server.
impl Handler for Mount {
    async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (method, instance) = (request.method().clone(), request.uri().path().to_owned());
        self.call(request.map(Body::wrap), peer).await.unwrap_or_else(|error| {
            let id = RequestId::generate();
            tracing::error!(
                request_id = id.as_str(),
                http.request.method = method.as_str(),
                url.path = instance,
                internal = error.log_message(),
                "mounted service failed"
            );
            let mut response = problem::respond(&error, &instance, &id).map(Body::from);
            response.headers_mut().insert(REQUEST_ID, id.header());
            response
        })
    }
}

impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Mount").field(&self.prefix).finish()
    }
}

fn check(prefix: &str) -> Result<(), &'static str> {
    if prefix == "/" {
        return Ok(());
    }
    let Some(segments) = prefix.strip_prefix('/') else {
        return Err("a prefix must begin with `/`");
    };
    if segments.ends_with('/') {
        return Err("a prefix must not end in `/`\nhelp: `/api` includes `/api/…`");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let sane = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(plain);
    if segments.split('/').all(sane) {
        Ok(())
    } else {
        Err(
            "each segment of a prefix must have letters, digits and `-._~`, and must not be `.` or \
             `..`",
        )
    }
}

/// Returns the URI without the prefix; `None` when nothing changes.
fn without_prefix(uri: &Uri, prefix: &str) -> Option<Uri> {
    if prefix == "/" {
        return None;
    }
    let rest = uri.path_and_query()?.as_str().strip_prefix(prefix)?;
    let inner = if rest.starts_with('/') {
        rest.parse().ok()?
    } else {
        format!("/{rest}").parse::<PathAndQuery>().ok()?
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(inner);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_prefix_removes_the_prefix_and_nothing_else() {
        let inner = |uri: &str, prefix| {
            without_prefix(&uri.parse().unwrap(), prefix).map(|uri| uri.to_string())
        };
        assert_eq!(inner("/api/a/%2F/../b?x=/api", "/api").unwrap(), "/a/%2F/../b?x=/api");
        assert_eq!(inner("/api", "/api").unwrap(), "/");
        assert_eq!(inner("/api?x=1", "/api").unwrap(), "/?x=1");
        assert_eq!(inner("/api/", "/api").unwrap(), "/");
        assert_eq!(inner("http://a.example:80/api/b", "/api").unwrap(), "http://a.example:80/b");
        assert_eq!(inner("/a", "/"), None);
    }

    #[test]
    fn check_rejects_prefixes_that_no_request_can_match() {
        for good in ["/", "/api", "/a/b-c/d.e", "/v1"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in
            ["", "api", "/api/", "//", "/a//b", "/a/../b", "/.", "/a b", "/%61", "/a?b", "/ü"]
        {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn without_prefix_returns_the_rest_of_any_path(
            rest in "(/[!-~&&[^?#\"<>\\\\^`{|}]]{0,9}){0,3}(\\?[a-z=&/]{0,9})?",
        ) {
            let whole = format!("/api/v1{rest}");
            let uri: Uri = whole.parse().unwrap();
            let inner = without_prefix(&uri, "/api/v1").unwrap().to_string();
            let expected = if rest.starts_with('/') { rest } else { format!("/{rest}") };
            proptest::prop_assert_eq!(inner, expected);
        }
    }
}
