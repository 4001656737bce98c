//! The limits of a connection over either version of HTTP.

/// The maximum size of a response head, in bytes.
pub(super) const MAX_HEAD_BYTES: usize = 32 * 1024;

/// The maximum that the library buffers of a request or a response, in bytes.
pub(super) const MAX_BUFFERED_BYTES: usize = 32 * 1024;
