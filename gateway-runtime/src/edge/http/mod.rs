//! The HTTP edge: from a request on a socket to its response.
//!
//! The stages of a request:
//!
//! - `server`, `connection`: read it from the socket
//! - `handler`: dispatches it to the target that `routes` finds for its path
//! - `decode`: takes the input of a call from its query or body
//! - `encode`, `stream`: write the reply of the pipeline as the response
//! - `compression`: compresses the response if the client accepts it
//!
//! An error becomes a problem (RFC 9457). Webhooks, WebSockets, routes and mounted services branch
//! off at `handler`; `describe` publishes the documents about all of them.

mod compression;
mod connection;
mod cors;
mod counted_body;
mod decode;
mod describe;
#[cfg(feature = "docs-page")]
pub(crate) mod docs_page;
mod encode;
mod etag;
mod handler;
mod hosts;
mod limits;
mod listener;
mod mount;
mod negotiate;
mod problems_page;
mod replay_guard;
mod request_context;
mod request_handler;
mod route_handler;
mod route_log;
mod route_tunnel;
mod routes;
mod server;
mod settings;
mod state;
mod stream;
mod until_shutdown;
mod webhook;
#[cfg(feature = "websocket")]
mod websocket;
mod websocket_settings;
mod worker;

pub(crate) use crate::edge::http::routes::webhook_problems;
#[cfg(feature = "websocket")]
#[doc(hidden)]
pub use crate::edge::http::websocket::Conversation;
pub use crate::edge::http::{
    compression::{Compressed, CompressionSettings},
    connection::{
        Peer,
        framing::{FramingGuard, Standing, Violation},
    },
    cors::CorsSettings,
    describe::{Documents, Info},
    handler::Handler,
    limits::{Http2Limits, HttpLimits},
    listener::BindError,
    mount::Mount,
    routes::RouteTable,
    server::{DrainOutcome, Server},
    settings::HttpSettings,
    state::{HttpEdge, Protection},
    webhook::WebhookKey,
};
pub use crate::{
    base::body::{Body, BodyBudget, BodyError, BoxError, read_body},
    edge::http::websocket_settings::WebSocketSettings,
};
