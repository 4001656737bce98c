//! HTTP/2 to instances (RFC 9113). The requests of a worker share the connections of an instance,
//! each of which one task drives.
//!
//! The bytes that an instance can make the gateway buffer are bounded: the windows of `limits` for
//! responses, the send buffer for requests, each for one stream, and the number of streams. The
//! window of a connection is that of all its streams together, so that no stream which its client
//! does not read takes the window of another.
//!
//! - `limits`: windows, buffers, streams and pings
//! - `shared`: a connection that requests share
//! - `place`: the place of a request on a connection
//! - `driver`: the task of a connection, and the pings that find a peer which has vanished
//! - `exchange`: one request and the head of its response
//! - `head`: the translation of a request's head
//! - `upload_pipe`: the body of a request
//! - `body`: the body of a response

mod body;
mod driver;
mod exchange;
mod head;
mod limits;
mod place;
mod shared;
mod upload_pipe;

pub(in crate::edge::proxy) use crate::edge::proxy::connection::http2::{
    body::Http2Body, exchange::Http2Exchange, place::ConnectionId, shared::SharedConnection,
};
