//! An author's own tower service (an axum router, say) under a prefix.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use http::{HeaderName, Request, Response, Uri, uri::PathAndQuery};
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
    edge::http::{Handler, Peer},
};

type BoxedService =
    dyn Fn(Request<Body>) -> BoxFuture<'static, Result<Response<Body>, BoxError>> + Send + Sync;

/// A service and the prefix that it answers for.
///
/// It sees paths without the prefix, its requests carry `X-Request-Id` and, among their extensions, the [`Peer`]; bodies
/// pass through as streams, without the limits of methods. It is not part of the pipeline: who may call it, and what is
/// logged of it, is its own affair.
#[derive(Clone)]
pub struct Mount {
    prefix: Box<str>,
    call: Arc<BoxedService>,
}

impl Mount {
    /// Mounts `service` at `prefix`: `/` for all that stands nowhere else, or segments without a slash at the end.
    ///
    /// # Errors
    ///
    /// When `prefix` is no such path.
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
            // A clone that was not polled ready may not be called, and another clone's readiness does not count.
            let answer = service.clone().oneshot(request);
            Box::pin(async move { Ok(answer.await.map_err(Into::into)?.map(Body::wrap)) })
        };
        Ok(Self { prefix: prefix.into(), call: Arc::new(call) })
    }

    /// Where it stands.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Hands a request on.
    ///
    /// # Errors
    ///
    /// `internal` when the service fails instead of answering.
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

/// A mounted service can also be all that a server has.
impl Handler for Mount {
    async fn handle(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let instance = request.uri().path().to_owned();
        self.call(request.map(Body::wrap), peer).await.unwrap_or_else(|error| {
            let id = RequestId::generate();
            tracing::error!(
                request_id = id.as_str(),
                asked = instance,
                internal = error.log_message(),
                "failed"
            );
            let mut response = problem::respond(&error, &instance, &id).map(Body::from);
            response.headers_mut().insert(HeaderName::from_static("x-request-id"), id.header());
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
    let Some(segments) = prefix.strip_prefix('/') else { return Err("a prefix begins with `/`") };
    if segments.ends_with('/') {
        return Err("a prefix does not end in `/`; `/api` holds `/api/…` too");
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let sane = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(plain);
    if segments.split('/').all(sane) {
        Ok(())
    } else {
        Err(
            "the segments of a prefix are of letters, digits and `-._~`; none is empty, `.` or `..`",
        )
    }
}

/// The address as the service sees it; none when nothing changes.
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
    fn the_prefix_is_taken_away_and_nothing_else() {
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
    fn prefixes_that_could_not_be_reached_are_refused() {
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
        fn prefix_and_rest_are_the_whole(rest in "(/[!-~&&[^?#\"<>\\\\^`{|}]]{0,9}){0,3}(\\?[a-z=&/]{0,9})?") {
            let whole = format!("/api/v1{rest}");
            let uri: Uri = whole.parse().unwrap();
            let inner = without_prefix(&uri, "/api/v1").unwrap().to_string();
            let expected = if rest.starts_with('/') { rest } else { format!("/{rest}") };
            proptest::prop_assert_eq!(inner, expected);
        }
    }
}
