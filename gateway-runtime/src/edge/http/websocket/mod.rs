//! Calls over one WebSocket (SEMANTICS §1): JSON-RPC 2.0, many calls in flight, answers in any
//! order.
//!
//! - `message` parses the client's messages, and `jsonrpc` writes responses.
//! - `handshake` opens the connection, as `websocket_settings` and `origin` permit.
//! - `calls` executes the calls of a message, each an `active_call`; `outgoing` is what they send.
//! - `session` runs the connection, and `ending` closes it.
//! - `charged` bounds the bytes of incomplete messages.
//! - `conversation` is the messages of a connection without the connection.
//! - `raw` splits JSON texts without decoding them.

mod active_call;
mod calls;
mod charged;
mod conversation;
mod ending;
mod handshake;
mod jsonrpc;
mod message;
mod origin;
mod outgoing;
mod raw;
mod session;
mod socket;

pub use crate::edge::http::websocket::conversation::Conversation;
pub(super) use crate::edge::http::websocket::handshake::open;
