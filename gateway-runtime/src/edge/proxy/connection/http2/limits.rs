//! The limits of a connection over HTTP/2.

use std::time::Duration;

/// The maximum number of requests that share a connection; fewer if the instance allows fewer.
pub(super) const MAX_STREAMS: usize = 100;

/// The window of a stream: what an instance may send before the client has read it, in bytes.
pub(super) const STREAM_WINDOW_BYTES: u32 = 64 * 1024;

/// The window of a connection.
pub(super) const CONNECTION_WINDOW_BYTES: u32 = STREAM_WINDOW_BYTES * MAX_STREAMS as u32;

/// The maximum of a request's body that waits in a stream for the instance's window, in bytes.
pub(super) const MAX_SEND_BUFFER_BYTES: usize = 64 * 1024;

/// The maximum that the small frames of a connection may cost besides their bytes. Beyond it the
/// library ends the connection, so a stream of small events that nobody reads must fit many times.
pub(super) const FRAME_OVERHEAD_BYTES: usize = 16 * 1024 * 1024;

/// The streams that are remembered after the gateway has cancelled them, since their last frames
/// may still arrive.
pub(super) const MAX_CANCELLED_STREAMS: usize = 1024;

/// The silence of an instance that has not answered, after which a ping is sent.
pub(super) const PING_AFTER: Duration = Duration::from_secs(2);

/// The maximum time of an instance to answer a ping.
pub(super) const PING_TIMEOUT: Duration = Duration::from_secs(5);
