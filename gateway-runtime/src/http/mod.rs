//! The HTTP edge.
//!
//! A request's road: `server` and `connection` take it from the wire, `edge` answers it: by its address (`route`), from
//! its query or body (`decode`), through the pipeline, to a response (`encode`, `stream`) or a problem (`problem`), compressed
//! (`compression`) where the client accepts it.
//! Webhooks, WebSockets and mounted services branch off at `edge`.

mod accept;
mod compression;
mod connection;
mod cors;
mod decode;
mod describe;
pub(crate) mod docs;
mod edge;
mod encode;
mod etag;
mod explain;
mod hosts;
mod limits;
mod listener;
mod moment;
mod mount;
mod route;
mod routed;
mod seen;
mod server;
mod settings;
mod stream;
mod webhook;
mod websocket;
mod worker;

pub use compression::{Compressed, CompressionSettings};
pub use connection::Peer;
pub use cors::CorsSettings;
pub use describe::{Documents, Info};
pub use edge::{Edge, Protection};
pub use limits::{Http2Limits, HttpLimits};
pub use listener::BindError;
pub use mount::Mount;
pub use route::Routes;
pub(crate) use route::webhook_problems;
pub use server::{Ended, Handler, Server};
pub use settings::HttpSettings;
pub use webhook::WebhookKey;
#[doc(hidden)]
pub use websocket::Conversation;
pub use websocket::WebSocketSettings;

pub use crate::body::{Body, BodyBudget, BodyError, BoxError, read_body};
