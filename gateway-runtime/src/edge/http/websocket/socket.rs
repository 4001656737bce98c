//! The socket of a session: frames over a connection whose incomplete messages are charged.

use tokio_tungstenite::WebSocketStream;

use crate::edge::http::websocket::charged::ChargedIo;

/// A WebSocket after its opening handshake.
pub(super) type Socket = WebSocketStream<ChargedIo>;
