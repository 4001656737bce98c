//! The HTTP edge.

mod body;
mod connection;
mod describe;
mod docs;
mod etag;
mod limits;
mod listener;
mod server;
mod worker;

pub use body::{Body, BodyError, BoxError, read_body};
pub use connection::Peer;
pub use describe::{Documents, Info};
pub use limits::{Http2Limits, HttpLimits};
pub use listener::BindError;
pub use server::{Ended, Handler, HttpConfig, Server};
