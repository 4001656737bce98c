//! The target of a route: what answers a path.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method as HttpMethod, Response};

use crate::{
    base::{error::Error, spec::Verb},
    edge::http::{mount::Mount, route_handler::RouteHandler, webhook::WebhookKey},
    service::registry::Method,
};

/// A handler of GET and HEAD for published pages, by the path and the request's header fields.
pub(crate) type PageHandler =
    Box<dyn Fn(&str, &HeaderMap) -> Result<Response<Bytes>, Error> + Send + Sync>;

/// The target of a path.
pub(in crate::edge::http) enum RouteTarget {
    Method(Arc<Method>),
    Webhook(Arc<Method>, Box<WebhookKey>),
    #[cfg(feature = "websocket")]
    WebSocket,
    Page(PageHandler),
    Mount(Mount),
}

impl RouteTarget {
    /// Returns whether a request is the CONNECT of a WebSocket over HTTP/2 (RFC 8441), and the
    /// target that of WebSockets.
    pub(in crate::edge::http) fn takes_connect(&self, method: &HttpMethod) -> bool {
        method == HttpMethod::CONNECT
            && match self {
                #[cfg(feature = "websocket")]
                Self::WebSocket => true,
                _ => false,
            }
    }

    /// Returns the HTTP method of the target; none for mounts, which decide it themselves.
    pub(in crate::edge::http) fn verb(&self) -> Option<Verb> {
        match self {
            Self::Method(method) => Some(method.spec.verb),
            Self::Webhook(..) => Some(Verb::Post),
            #[cfg(feature = "websocket")]
            Self::WebSocket => Some(Verb::Get),
            Self::Page(_) => Some(Verb::Get),
            Self::Mount(_) => None,
        }
    }
}

/// The answer of the table to a path: a target, or a route of the configuration, which a reload may
/// replace.
pub(in crate::edge::http) enum FoundRoute<'r> {
    Target(&'r RouteTarget),
    Configured(Arc<RouteHandler>),
}
