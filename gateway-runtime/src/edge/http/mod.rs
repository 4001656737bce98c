//! The HTTP edge.
//!
//! A request's road: `server` and `connection` take it from the wire, `edge` answers it: by its address (`route`), from
//! its query or body (`decode`), through the pipeline, to a response (`encode`, `stream`) or a problem (`problem`), compressed
//! (`compression`) where the client accepts it.
//! Webhooks, WebSockets and mounted services branch off at `edge`.

mod compression;
mod connection;
mod cors;
mod decode;
mod describe;
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
mod route_handler;
mod routes;
mod server;
mod settings;
mod stream;
mod webhook;
mod websocket;
mod worker;

pub(crate) use crate::edge::http::routes::webhook_problems;
#[doc(hidden)]
pub use crate::edge::http::websocket::Conversation;
pub use crate::edge::http::{
    compression::{Compressed, CompressionSettings},
    connection::Peer,
    cors::CorsSettings,
    describe::{Documents, Info},
    handler::{HttpEdge, Protection},
    limits::{Http2Limits, HttpLimits},
    listener::BindError,
    mount::Mount,
    routes::RouteTable,
    server::{DrainOutcome, Handler, Server},
    settings::HttpSettings,
    webhook::WebhookKey,
};
pub use crate::{
    base::body::{Body, BodyBudget, BodyError, BoxError, read_body},
    edge::http::websocket::WebSocketSettings,
};
