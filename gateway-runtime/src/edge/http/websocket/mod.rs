//! Calls over one WebSocket (SEMANTICS §1): JSON-RPC 2.0, many calls in flight, answers in any
//! order.
//!
//! - `message` parses the client's messages, and `jsonrpc` writes responses.
//! - `handshake` opens the connection, as `settings` and `origin` permit.
//! - `calls` executes the calls of a message, each an `active_call`; `outgoing` is what they send.
//! - `session` runs the connection, and `ending` closes it.
//! - `charged` bounds the bytes of incomplete messages.
//! - `conversation` is the messages of a connection without the connection.
//! - `raw` splits JSON texts without decoding them.
//!
//! Without the feature `websocket` only the settings remain.

#[cfg(feature = "websocket")]
mod active_call;
#[cfg(feature = "websocket")]
mod calls;
#[cfg(feature = "websocket")]
mod charged;
#[cfg(feature = "websocket")]
mod conversation;
#[cfg(feature = "websocket")]
mod ending;
#[cfg(feature = "websocket")]
mod handshake;
#[cfg(feature = "websocket")]
mod jsonrpc;
#[cfg(feature = "websocket")]
mod message;
#[cfg(feature = "websocket")]
mod origin;
#[cfg(feature = "websocket")]
mod outgoing;
#[cfg(feature = "websocket")]
mod raw;
#[cfg(feature = "websocket")]
mod session;
mod settings;
#[cfg(feature = "websocket")]
mod socket;

#[cfg(feature = "websocket")]
pub use crate::edge::http::websocket::conversation::Conversation;
#[cfg(feature = "websocket")]
pub(super) use crate::edge::http::websocket::handshake::open;
pub use crate::edge::http::websocket::settings::WebSocketSettings;
