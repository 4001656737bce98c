//! A conversation: the messages of one connection without the connection, for fuzzing.

use std::fmt;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::HeaderMap;

use crate::edge::http::{connection::Peer, state::HttpEdge, websocket::calls::Calls};

/// The messages of one connection without the connection. For fuzzing only, and not a stable API.
#[doc(hidden)]
pub struct Conversation(Calls);

impl Conversation {
    /// Creates a conversation of a client without credentials.
    #[must_use]
    pub fn new(edge: &HttpEdge, peer: Peer) -> Self {
        Self(Calls::new(edge.clone(), HeaderMap::new(), peer))
    }

    /// Returns everything that is sent because of a message.
    pub fn answer(&mut self, message: &str) -> BoxStream<'static, Bytes> {
        self.0.answer(&message.into())
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation").finish_non_exhaustive()
    }
}
